"""The same four ratings of three films, in every published format."""

import zipfile
from pathlib import Path

# user, item, rating, timestamp; not in order of time.
RATINGS = [(1, 10, 5, 2000), (2, 10, 3, 1000), (1, 20, 1, 2000), (2, 30, 4, 3000)]


def lines(rows, separator: str) -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def write_csv(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n" + lines(RATINGS, ","), encoding="utf-8"
    )
    (folder / "movies.csv").write_text(
        'movieId,title,genres\n10,"American President, The (1995)",Comedy|Sci-Fi\n'
        "20,Amélie (2001),(no genres listed)\n30,Untitled,Film-Noir\n",
        encoding="utf-8",
    )
    return folder


def write_double_colon(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings.dat").write_text(lines(RATINGS, "::"), encoding="utf-8")
    (folder / "movies.dat").write_text(
        "10::American President, The (1995)::Comedy|Sci-Fi\n20::Amélie (2001)::(no genres listed)\n"
        "30::Untitled::Film-Noir\n",
        encoding="latin-1",
    )
    (folder / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::70072\n")
    return folder


def write_tab(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "u.data").write_text(lines(RATINGS, "\t"), encoding="utf-8")

    def flags(*on: int) -> str:
        return "|".join("1" if i in on else "0" for i in range(19))

    (folder / "u.item").write_text(
        f"10|American President, The (1995)|01-Jan-1995||http://x|{flags(5, 15)}\n"
        f"20|Amélie (2001)|01-Jan-2001||http://x|{flags()}\n"
        f"30|Untitled||||{flags(10)}\n",
        encoding="latin-1",
    )
    (folder / "u.user").write_text("1|24|F|technician|85711\n2|53|M|other|94043\n")
    return folder


def write_recbole(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    head = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    (folder / "tiny.inter").write_text(head + lines(RATINGS, "\t"), encoding="utf-8")
    (folder / "tiny.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "10\tAmerican President, The\t1995\tComedy Sci-Fi\n20\tAmélie\t2001\t\n"
        "30\tUntitled\tunknown\tFilm-Noir\n",
        encoding="utf-8",
    )
    (folder / "tiny.user").write_text(
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
        "1\t24\tF\ttechnician\t85711\n2\t53\tM\tother\t94043\n"
    )
    (folder / "tiny.link").write_text("item_id:token\tentity_id:token\n10\tm.01\n")
    (folder / "tiny.kg").write_text(
        "head_id:token\trelation_id:token\ttail_id:token\nm.01\tfilm.director\tm.02\n"
    )
    return folder


WRITERS = {
    "csv": write_csv,
    "double_colon": write_double_colon,
    "tab": write_tab,
    "recbole": write_recbole,
}


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(folder.iterdir()):
            out.write(file, f"{folder.name}/{file.name}")
    return archive
