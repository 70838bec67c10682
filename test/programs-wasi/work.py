"""What a program does with files, told as JSON: the same on a machine as on the host. Usage: work.py DIRECTORY"""
import csv, errno, glob, hashlib, io, json, os, pathlib, random, shutil, stat, sys, tempfile, zipfile

base = pathlib.Path(sys.argv[1])
told = {}


def tell(name, value):
    told[name] = value


def fails(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


# the tree that was given
files = sorted(p for p in base.rglob("*") if p.is_file())
tell("names", [str(p.relative_to(base)) for p in files])
tell("sizes", [p.stat().st_size for p in files])
tell("sums", [hashlib.sha256(p.read_bytes()).hexdigest() for p in files])
tell("words", sum(len(p.read_text("utf8").split()) for p in files if p.suffix == ".md"))
tell("walk", sorted(len(names) for _, _, names in os.walk(base)))
tell("glob", sorted(os.path.basename(p) for p in glob.glob(str(base / "*.md"))))

with tempfile.TemporaryDirectory(dir=base) as name:
    top = pathlib.Path(name)
    # os
    os.makedirs(top / "a/b/c")
    os.symlink("a/b", top / "link")
    (top / "link/c/file").write_text("text\n" * 1000)
    os.link(top / "a/b/c/file", top / "hard")
    tell("links", os.stat(top / "hard").st_nlink)
    tell("readlink", os.readlink(top / "link"))
    tell("lstat", stat.S_ISLNK(os.lstat(top / "link").st_mode))
    os.rename(top / "hard", top / "renamed")
    os.replace(top / "renamed", top / "a/replaced")
    tell("listdir", sorted(os.listdir(top)))
    tell("scandir", sorted((e.name, e.is_dir(), e.is_symlink()) for e in os.scandir(top)))
    os.utime(top / "a/replaced", ns=(1_500_000_000_123_456_789, 1_400_000_000_987_654_321))
    tell("mtime", os.stat(top / "a/replaced").st_mtime_ns)
    with open(top / "sparse", "wb") as f:
        f.seek(1 << 20)
        f.write(b"end")
        f.flush()
        os.fsync(f.fileno())
        f.truncate((1 << 20) + 1)
    tell("sparse", (top / "sparse").stat().st_size)
    fd = os.open(top / "sparse", os.O_RDWR | os.O_APPEND)
    os.write(fd, b"more")
    tell("pread", os.pread(fd, 10, (1 << 20) - 2).hex())
    os.close(fd)
    tell("errors", [
        fails(os.rmdir, top / "a"),
        fails(os.mkdir, top / "a"),
        fails(os.open, top / "no", os.O_RDONLY),
        fails(os.unlink, top / "no"),
        fails(os.open, top / "sparse/x", os.O_RDONLY),
        fails(os.rename, top / "a", top / "a/b/x"),
        fails(os.open, top / "sparse", os.O_CREAT | os.O_EXCL | os.O_RDWR),
    ])
    # pathlib
    for i in range(300):
        (top / f"n{i:03}").write_bytes(bytes([i % 256]) * i)
    tell("many", [sum(1 for _ in top.glob("n*")), sum(p.stat().st_size for p in top.glob("n*"))])
    (top / "ü ñ 日本").write_text("utf8", "utf8")
    tell("utf8", [p.name for p in top.iterdir() if not p.name.isascii()])
    tell("parts", [(top / "x/../y.tar.gz").suffixes, (top / "a/b").relative_to(top).as_posix()])
    # tempfile
    with tempfile.TemporaryFile(dir=top) as f:
        f.write(b"0123456789")
        f.seek(5)
        tell("temporary", f.read().decode())
    with tempfile.NamedTemporaryFile(dir=top, suffix=".x") as f:
        tell("named", os.path.exists(f.name))
    tell("gone", os.path.exists(f.name))
    # zipfile
    rng = random.Random(1)
    blob = bytes(rng.randrange(256) for _ in range(100_000))
    with zipfile.ZipFile(top / "z.zip", "w", zipfile.ZIP_STORED) as z:
        for p in files:
            z.write(p, p.name)
        z.writestr("blob", blob)
    with zipfile.ZipFile(top / "z.zip") as z:
        tell("zip", [z.testzip(), sorted(z.namelist()), z.read("blob") == blob])
        z.extractall(top / "out")
    tell("extracted", hashlib.sha256((top / "out/blob").read_bytes()).hexdigest())
    # json, csv
    rows = [[str(i), "a,b", 'quo"te', "two\nlines", "ü"] for i in range(500)]
    with open(top / "t.csv", "w", newline="", encoding="utf8") as f:
        csv.writer(f).writerows(rows)
    with open(top / "t.csv", newline="", encoding="utf8") as f:
        tell("csv", list(csv.reader(f)) == rows)
    tell("csvsum", hashlib.sha256((top / "t.csv").read_bytes()).hexdigest())
    with open(top / "t.json", "w", encoding="utf8") as f:
        json.dump({"rows": rows, "n": [1, 2.5, None, True]}, f, indent=1)
    tell("json", hashlib.sha256((top / "t.json").read_bytes()).hexdigest())
    shutil.copytree(top / "a", top / "copied", symlinks=True)
    tell("copied", sorted(str(p.relative_to(top)) for p in (top / "copied").rglob("*")))
    shutil.rmtree(top / "copied")
tell("left", [p.name for p in base.iterdir() if p.name.startswith("tmp")])
json.dump(told, sys.stdout, indent=1)
