"""What tools can do to files, and to a repository of them with tests. Nothing here runs anything."""

from __future__ import annotations

from gyges.scenarios.condition import holds
from gyges.scenarios.text import Text, joined, lines, part
from gyges.scenarios.world_given import Failed, Given, shortened


def file_path(path: str) -> str:
    """A file's name as the store has it. Raises Failed for one that leads out of the store."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise Failed(f"{path!r} is no file here")
    return "/".join(parts)


def _at(given: Given, name: str = "path") -> str:
    return given.place(file_path(given[name]))


def _file(given: Given) -> Text:
    place = _at(given)
    if place not in given.state:
        raise Failed(f"there is no file {given['path']!r}")
    return given.state[place]


def list_files(given: Given) -> Text:
    """The names of all files, or of those below a folder, a line each."""
    folder = given.get("folder").strip("/ .")
    names = [rest for rest in given.rests() if not folder or rest.startswith(f"{folder}/")]
    return lines(sorted(names)) if names else Text("(no files)")


def read_file(given: Given) -> Text:
    return _file(given)


def write_file(given: Given) -> Text:
    given.state[_at(given)] = given.values["text"]
    return Text("written")


def append_file(given: Given) -> Text:
    place = _at(given)
    before = given.state.get(place)
    parts = [before, "" if before.text.endswith("\n") or not before.text else "\n"] if before else []
    given.state[place] = joined([*parts, given.values["text"]])
    return Text("written")


def edit_file(given: Given) -> Text:
    """Replace one passage, which has to stand in the file exactly once."""
    text = _file(given)
    count = text.text.count(given["old"]) if given["old"] else 0
    if count != 1:
        raise Failed(f"the passage stands {count} times in {given['path']!r}, and it has to stand there once")
    at = text.text.index(given["old"])
    end = at + len(given["old"])
    given.state[_at(given)] = joined([part(text, 0, at), given.values["new"], part(text, end, len(text.text))])
    return Text("written")


def delete_file(given: Given) -> Text:
    _file(given)
    del given.state[_at(given)]
    return Text("deleted")


def move_file(given: Given) -> Text:
    text = _file(given)
    del given.state[_at(given)]
    given.state[_at(given, "to")] = text
    return Text("moved")


def copy_file(given: Given) -> Text:
    given.state[_at(given, "to")] = _file(given)
    return Text("copied")


def search_files(given: Given) -> Text:
    """Every line that has the words in it, with its file and number."""
    wanted, found = given["words"].casefold(), []
    for name in sorted(given.rests()):
        at, text = 0, given.state[given.place(name)]
        for number, line in enumerate(text.text.split("\n"), start=1):
            if wanted and wanted in line.casefold():
                found.append(joined([f"{name}:{number}: ", part(text, at, at + len(line))]))
            at += len(line) + 1
    return shortened(found, "nothing found")


# A repository: files, and beside them `NAME.commits/1`, ... and `NAME.tests/last`


def commit(given: Given) -> Text:
    """Record the message, and that nothing has changed since."""
    count = sum(place.startswith(f"{given.store.name}.commits/") for place in given.state)
    if not _since_commit(given):
        raise Failed("there is nothing to commit")
    given.state[f"{given.store.name}.commits/{count + 1:03}"] = given.values["message"]
    base = f"{given.store.name}.base/"
    for place in [place for place in given.state if place.startswith(base)]:
        del given.state[place]
    given.state.update({base + name: given.state[given.place(name)] for name in given.rests()})
    return Text(f"committed as {count + 1}")


def _since_commit(given: Given) -> list[str]:
    """The files that are not as they were at the last commit."""
    base = f"{given.store.name}.base/"
    before = {place.removeprefix(base): text.text for place, text in given.state.items() if place.startswith(base)}
    now = {name: given.state[given.place(name)].text for name in given.rests()}
    return sorted(name for name in {**before, **now} if before.get(name) != now.get(name))


def status(given: Given) -> Text:
    changed = _since_commit(given)
    return lines(["changed since the last commit:", *changed]) if changed else Text("nothing has changed")


def log(given: Given) -> Text:
    start = f"{given.store.name}.commits/"
    found = [(place.removeprefix(start), text) for place, text in given.state.items() if place.startswith(start)]
    return shortened([joined([f"{int(name)} ", text]) for name, text in sorted(found, reverse=True)], "no commits")


def run_tests(given: Given) -> Text:
    """The result of every test, by its rule."""
    passed = [test for test in given.store.tests if holds(test.passes, given.seen)]
    failed = [test for test in given.store.tests if test not in passed]
    given.state[f"{given.store.name}.tests/last"] = Text("failed" if failed else "passed")
    told: list[Text | str] = [f"ok {test.name}" for test in passed]
    told += [joined([f"FAILED {test.name}: ", test.failure]) for test in failed]
    return lines([*told, f"{len(passed)} passed, {len(failed)} failed"])
