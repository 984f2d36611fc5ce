"""What people type by mistake: one line that names it, the right code, and nothing on stdout."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk, app_image, app_manifest, assert_refused

MISSING = "no such file"

# Command line, exit code, words of the one line.
MISTAKES = {
    # actool
    "actool nope": (2, "nope"),
    "actool --nope": (2, "--nope"),
    "actool biuld layout x.aci": (2, "biuld"),
    "actool build": (2, "LAYOUT_DIR"),
    "actool build layout": (2, "image: missing argument (layout is the layout)"),
    "actool build layout x.aci y.aci": (2, "y.aci"),
    "actool build --nope layout x.aci": (2, "--nope"),
    "actool build nope x.aci": (66, "nope"),
    "actool build good.aci x.aci": (2, "good.aci: not a directory"),
    "actool build empty-directory x.aci": (65, "empty-directory"),
    "actool build layout good.aci": (73, "good.aci"),
    "actool build layout /nope/x.aci": (73, "/nope/x.aci"),
    "actool build layout empty-directory": (2, "must end in .aci"),
    "actool version": (2, "version: no such command (did you mean actool --version?)"),
    "actool pull example.com/x": (2, "pull: no such command (did you mean acfetch?)"),
    "actool discover example.com/x": (2, "discover: no such command (did you mean acfetch discover?)"),
    "actool build --compression zip layout x.aci": (2, "zip"),
    "actool validate": (2, "FILE"),
    "actool validate nope.aci": (66, f"nope.aci: {MISSING}"),
    "actool validate ''": (66, MISSING),
    "actool validate empty-directory": (1, "empty-directory"),
    "actool validate empty": (1, "empty"),
    "actool validate /dev/null": (1, "/dev/null"),
    "actool id nope.aci": (66, f"nope.aci: {MISSING}"),
    "actool id empty-directory": (65, "empty-directory"),
    "actool id empty": (65, "empty"),
    "actool cat-manifest nope.aci": (66, f"nope.aci: {MISSING}"),
    "actool cat-manifest empty": (65, "empty"),
    "actool ls nope.aci": (66, f"nope.aci: {MISSING}"),
    "actool cat good.aci": (2, "PATH"),
    "actool cat nope.aci /x": (66, f"nope.aci: {MISSING}"),
    "actool cat good.aci /nope": (66, f"good.aci: /nope: {MISSING}"),
    "actool cat good.aci bin/probe": (66, "begins with a slash: /bin/probe"),
    "actool cat good.aci /bin": (2, "good.aci: /bin: a directory, not a regular file"),
    "actool cat good.aci /bin/probe/": (66, '"/bin/probe" on its way is not a directory'),
    "actool cat layout /nope": (66, f"layout: /nope: {MISSING}"),
    "actool cat empty /x": (65, "empty: an empty file"),
    "actool cat empty-directory /x": (65, "empty-directory: not an image layout"),
    "actool diff good.aci": (2, "B"),
    "actool diff good.aci nope.aci": (66, f"nope.aci: {MISSING}"),
    "actool diff empty good.aci": (65, "empty: an empty file"),
    "actool diff - - < good.aci": (2, "standard input: can be read only once"),
    "actool diff --ignore=times good.aci good.aci": (2, '"times" is nothing that can be ignored'),
    "actool verify-repro layout": (2, "image: missing argument (layout is the layout)"),
    "actool verify-repro nope good.aci": (66, "nope: no such directory"),
    "actool verify-repro good.aci good.aci": (2, "good.aci: not a directory"),
    "actool verify-repro layout layout": (2, "layout: a directory, not an image"),
    "actool verify-repro empty-directory good.aci": (65, "empty-directory: not an image layout"),
    "SOURCE_DATE_EPOCH=now actool verify-repro layout good.aci": (2, '"now" is not a number of seconds'),
    "actool extract nope.aci out": (66, f"nope.aci: {MISSING}"),
    "actool extract good.aci": (2, "DIR"),
    "actool extract good.aci empty-directory": (73, "empty-directory"),
    "actool extract good.aci /nope/out": (73, "/nope/out"),
    "actool patch-manifest": (2, "INPUT.aci"),
    "actool patch-manifest good.aci": (2, "OUTPUT.aci: missing argument (--replace writes to good.aci itself)"),
    "actool patch-manifest good.aci x.aci y.aci": (2, "y.aci"),
    "actool patch-manifest good.aci x.tar": (2, "must end in .aci"),
    "actool patch-manifest good.aci good.aci": (73, "good.aci: already exists (--overwrite replaces it)"),
    "actool patch-manifest nope.aci x.aci": (66, f"nope.aci: {MISSING}"),
    "actool patch-manifest empty --replace": (65, "empty"),
    "actool patch-manifest good.aci --replace --exce /a": (2, "--exce: no such option (did you mean --exec?"),
    "actool patch-manifest good.aci --replace --label version": (2, "--label version: not of the form NAME=VALUE"),
    "actool patch-manifest good.aci --replace --ports http,port=80": (2, "--ports http,port=80: protocol: is required"),
    "actool patch-manifest good.aci --replace --remove env": (2, "--remove env: there is no such thing in the manifest"),
    "actool patch-manifest good.aci --replace --manifest nope": (66, f"nope: {MISSING}"),
    "actool init": (2, "--name: missing option"),
    "actool init --name Hello": (2, '--name: "Hello" is not an AC Identifier'),
    "actool init --name hello layout": (73, "layout/manifest: already exists"),
    "actool init --name hello empty": (73, "empty: already exists, and is not a directory"),
    # acfetch
    "acfetch --nope": (2, "--nope"),
    "acfetch fetch": (2, "REF"),
    "acfetch --nope example.com/hello": (2, "--nope"),
    "acfetch ''": (2, "names no image"),
    "acfetch Example.com/Hello": (2, "Example.com/Hello"),
    "acfetch example.com/hello:": (2, "example.com/hello:"),
    "acfetch example.com/hello,version": (2, "version"),
    "acfetch example.com/hello@sha512-00": (2, "sha512-00"),
    "acfetch sha512-000000000000": (2, "sha512-000000000000"),
    "acfetch ./nope.aci": (66, MISSING),
    "acfetch nope.aci": (66, MISSING),
    "acfetch --insecure-options=image ./nope.aci": (66, MISSING),
    "acfetch --insecure-options=image ./empty-directory": (65, "empty-directory"),
    "acfetch --insecure-options=image ./empty": (65, "empty"),
    "acfetch --insecure-options=everything example.com/hello": (2, "everything"),
    "acfetch --output out a.example/a b.example/b": (2, "--output"),
    "acfetch ftp://example.com/x.aci": (2, "ftp"),
    "acfetch http://example.com/x.aci": (76, "plain http"),
    "acfetch ./good.aci": (77, "no signature"),
    "acfetch trust nope": (2, "nope"),
    "acfetch trust add": (2, "FILE"),
    "acfetch trust add good.aci": (2, "--prefix"),
    "acfetch trust add --root --prefix example.com good.aci": (2, "--prefix"),
    "acfetch trust add --prefix example.com nope.asc": (66, MISSING),
    "acfetch trust add --prefix example.com good.aci": (65, "holds no public key"),
    "acfetch trust add --prefix example.com empty-directory": (65, "empty-directory"),
    "acfetch trust add --prefix ../up good.aci": (2, "../up"),
    "acfetch trust remove --root nope": (2, "nope"),
    "acfetch images nope": (2, "nope"),
    "acfetch trust --prefix example.com good.aci": (2, "--prefix: no such option (acfetch trust add --prefix PREFIX, and FILE"),
    "acfetch image list": (2, "image: no such command (did you mean acfetch images?)"),
    "acfetch version": (2, "version: no such command (did you mean acfetch --version?)"),
    # acrun
    "acrun nope": (125, "nope: no command, and no image in the store"),
    "acrun run nope": (125, "(an image is a whole name, such as example.com/nope, or a file, such as ./nope.aci;"),
    "acrun ./good.aci arg": (125, "arg: is neither an option of ./good.aci nor behind --"),
    "acrun ./good.aci --exec ''": (125, "--exec: names no program"),
    "acrun satus": (125, "satus: no command, and no image in the store"),
    "acrun satus nope": (125, "(did you mean acrun status?)"),
    "acrun ps": (125, "(did you mean acrun list?)"),
    "acrun ps -a": (125, "ps: no such command (did you mean acrun list?)"),
    "acrun exec web sh": (125, "exec: no such command (did you mean acrun enter?)"),
    "acrun exec -it web sh": (125, "exec: no such command (did you mean acrun enter?)"),
    "acrun exec -u 0 web id": (125, "exec: no such command (did you mean acrun enter?)"),
    "acrun image list": (125, "image: no such command (did you mean acfetch images?)"),
    "acrun image gc --grace-period=1h": (125, "image: no such command (did you mean acfetch gc?)"),
    "acrun satus web": (125, "satus web: satus is no command, and the arguments of an image stand behind -- (did you mean"),
    "acrun pause web": (125, "pause is no command, and the arguments of an image stand behind -- (acrun --help shows"),
    "acrun ./good.aci ./good.aci": (125, "is neither an option of ./good.aci nor behind -- (acrun IMAGE --- IMAGE runs both)"),
    "acrun ./good.aci --readonly-rootfs=true": (125, "--readonly-rootfs: does not take a value"),
    "acrun wait --nope web": (125, "wait: no such command (did you mean acrun status --wait?)"),
    "acrun --name x list": (125, "list: is a command, which comes first (acrun list …)"),
    "acrun --dir data list --json": (125, "list: is a command, which comes first (acrun list …)"),
    "acrun --name list ./good.aci --nope": (125, "--nope: no such option"),
    "acrun --entrypoint /x ./good.aci": (125, "--entrypoint: no such option (--exec, behind the image)"),
    "acrun ./good.aci -c ls": (125, "-c: no such option (--help shows the options; the program's own stand behind --)"),
    "acrun ./good.aci --env": (125, "--env: requires an argument"),
    "acrun ./layout": (125, "./layout: is a directory (actool build makes an image of one)"),
    "acrun ./good.aci sh": (125, "acrun IMAGE --exec PROGRAM -- ARGS"),
    "acrun ./good.aci --user 1000:100": (125, "--user 1000:100: names a group, too (--user 1000 --group 100)"),
    "acrun --port 8080:80 ./good.aci": (125, "no app has a port of this name (none has any;"),
    "acrun --volume ./layout:/a --volume ./empty:/a/ ./good.aci": (125, "--volume ./empty:/a/: another volume goes to /a/, too"),
    "acrun --volume layout:/a ./good.aci": (125, "--volume ./layout:/a)"),
    "acrun status --wait=5s nope": (2, "--wait: does not take a value (timeout TIME acrun status --wait POD)"),
    "acrun stop --all": (2, "--all: no such option (acrun list --quiet --state running | xargs -r acrun stop)"),
    "acrun logs --tail -1 nope": (2, "acrun: --tail: -1 is not in the range"),
    "acrun logs --since yesterday nope": (2, "10m"),
    "acrun stop": (2, "missing argument"),
    "acrun rm -f nope": (2, "-f: no such option (acrun stop --force POD ends it before)"),
    "acrun Status": (125, "Status"),
    "acrun --nope ./good.aci": (125, "--nope"),
    "acrun ./good.aci --volume v,kind=empty": (125, "--volume: is an option of the pod (acrun --volume … IMAGE)"),
    "acrun --exec /x ./good.aci": (125, "--exec: is an option of an app"),
    "acrun --volume /a:b ./good.aci": (125, "--volume /a:b: b: is not an absolute path"),
    "acrun --volume a/b ./good.aci": (125, "not of the form NAME,kind=host,source=PATH"),
    "acrun --volume d,source=/tmp,readonly=true ./good.aci": (125, "readonly is no setting of it"),
    "acrun - < ./good.aci": (125, "standard input: holds an image"),
    "acrun -- a": (125, "--: no image stands before it"),
    "acrun --nope": (125, "--nope"),
    "acrun ./good.aci --nope": (125, "--nope"),
    "acrun --name": (125, "--name"),
    "acrun ./nope.aci": (125, MISSING),
    "acrun ./empty-directory": (125, "./empty-directory: "),
    "acrun ./empty": (125, "empty"),
    "acrun ./layout/manifest": (125, "layout/manifest"),
    "acrun ''": (125, "names no image"),
    "acrun sha512-00": (125, "sha512-00"),
    "acrun sha512-000000000000": (125, "not in the store"),
    "acrun https://example.com/x.aci": (125, "acrun fetches nothing"),
    "acrun ./good.aci ---": (125, "---"),
    "acrun --- ./good.aci": (125, "---"),
    "acrun ./good.aci --- ./good.aci": (125, "a second app named hello"),
    "acrun --volume": (125, "--volume"),
    "acrun --volume data,source=/nope ./good.aci": (125, "/nope"),
    "acrun --volume data,kind=disk ./good.aci": (125, "disk"),
    "acrun --volume Data,kind=empty ./good.aci": (125, "Data"),
    "acrun --volume d,kind=empty --volume d,kind=empty ./good.aci": (125, "same name"),
    "acrun --mount data ./good.aci": (125, "data"),
    "acrun --mount volume=data,target=/data ./good.aci": (125, "no volume has this name"),
    "acrun --mount volume=data,target=data --volume data,kind=empty ./good.aci": (125, "not an absolute path"),
    "acrun ./good.aci --env A": (125, "NAME=VALUE"),
    "acrun ./good.aci --name 'A B'": (125, "A B"),
    "acrun --name 'A B' ./good.aci": (125, "A B"),
    "acrun --name ../../../escaped ./good.aci": (125, "../../../escaped"),
    "acrun --log screen ./good.aci": (125, "screen"),
    "acrun --grace-period soon ./good.aci": (125, "soon"),
    "acrun --stage1 /nope ./good.aci": (125, "/nope"),
    "acrun --uuid-file-save /nope/uuid ./good.aci": (125, "/nope/uuid"),
    "acrun list nope": (2, "nope"),
    "acrun list --nope": (2, "--nope"),
    "acrun status": (2, "POD"),
    "acrun status nope": (66, "nope: no such pod"),
    "acrun status ''": (66, "no such pod"),
    "acrun status ../../../etc": (66, "no such pod"),
    "acrun status 00000000-0000-4000-8000-000000000000": (66, "no such pod"),
    "acrun rm": (2, "POD"),
    "acrun rm nope": (66, "nope: no such pod"),
    "acrun gc nope": (2, "nope"),
    "acrun gc --grace-period -1": (2, "-1"),
    # acstage1
    "acstage1 nope": (2, "nope"),
    "acstage1 run": (125, "POD_DIR"),
    "acstage1 run nope": (125, "nope"),
    "acstage1 run --nope x": (125, "--nope"),
    "acstage1 enter x": (125, "enter"),
    "acstage1 stop nope": (66, "nope"),
}


@pytest.fixture
def untidy_desk(plain_desk: Desk) -> Desk:
    """Return a desk with an image, a layout, an empty file and an empty directory on it."""
    (plain_desk.path / "good.aci").write_bytes(app_image(words=["/bin/probe", "exit", "0"]))
    (plain_desk.path / "empty").touch()
    for name in ("empty-directory", "layout", "layout/rootfs"):
        (plain_desk.path / name).mkdir()
    (plain_desk.path / "layout" / "manifest").write_bytes(app_manifest())
    return plain_desk


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_told_in_one_line(untidy_desk: Desk, line: str) -> None:
    code, words = MISTAKES[line]
    tool = next(word for word in line.split() if "=" not in word)
    assert_refused(untidy_desk.shell(line), code, words, tool)


@pytest.mark.parametrize("program", ["actool", "acfetch", "acrun", "acstage1"])
def test_help_and_version_are_results(plain_desk: Desk, program: str) -> None:
    for option in ("--help", "-h"):
        ended = plain_desk.run(program, option)
        assert (ended.code, ended.stderr) == (0, "")
        assert ended.stdout.startswith("Usage: ")
    version = plain_desk.run(program, "--version")
    assert (version.code, version.stderr) == (0, "")
    assert version.stdout.startswith(f"{program} ")


@pytest.mark.parametrize(
    ("line", "word"), [("actool", "build"), ("acfetch", "trust"), ("acfetch trust", "remove"), ("acstage1", "gc")]
)
def test_an_unfinished_line_shows_the_commands_to_people_and_nothing_to_a_pipe(untidy_desk: Desk, line: str, word: str) -> None:
    ended = untidy_desk.shell(line)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: ")
    assert word in ended.stderr
