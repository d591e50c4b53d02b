"""The fixtures of the small service, and of the one on the web."""

from service_site import data_folder, merged, parts_with, shop, site, small  # noqa: F401
from small_service import *  # noqa: F403
