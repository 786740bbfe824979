"""Nothing lies around: each source is compiled, each link leads somewhere."""

import pathlib
import re

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def lists_source(text, name):
    if re.search(rf"(?<![\w.]){re.escape(name)}\b", text):
        return True
    # foreach(module IN ITEMS a b) ... ${module}_test.cpp
    stem = name.removesuffix("_test.cpp")
    return "}_test.cpp" in text and bool(re.search(rf"\b{re.escape(stem)}\b", text))


def check(files):
    known = {file.path for file in files}
    folders = {str(parent) for path in known for parent in pathlib.PurePath(path).parents}
    lists = {file.path: file.text for file in files if file.name == "CMakeLists.txt"}
    for file in files:
        if file.suffix == ".cpp":
            parents = pathlib.PurePath(file.path).parents
            near = [lists.get(str(folder / "CMakeLists.txt"), "") for folder in parents]
            if not any(lists_source(text, file.name) for text in near):
                yield file, 1, "no CMakeLists.txt at or above it lists this source"
        if file.suffix == ".md":
            base = pathlib.PurePath(file.path).parent
            for match in LINK.finditer(file.text):
                target = pathlib.PurePath(match.group(1))
                whole = target if str(target).startswith("/") else base / target
                parts = []
                for part in whole.parts:
                    if part == ".." and parts:
                        parts.pop()
                    elif part not in (".", "/"):
                        parts.append(part)
                path = "/".join(parts) or "."
                if path not in known and path not in folders:
                    yield file, file.line_of(match.start()), f"the link {target} leads nowhere"
