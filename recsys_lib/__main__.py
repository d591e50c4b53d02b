from recsys_lib.cli import main

main()
