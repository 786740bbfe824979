"""The files of the project and how to read them without comments or strings."""

import pathlib
import re
import subprocess

CPP = {".cpp", ".hpp"}
CODE = CPP | {".sql", ".py", ".cmake", ".sh"}
LITERAL = re.compile(
    r'R"(?P<mark>[^()\s]*)\(.*?\)(?P=mark)"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])+'"
    r"|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
# 1'000 is a number, not the begin of a character
DIGIT_MARK = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")


def blank(text):
    """The same number of lines, nothing in them."""
    return "\n" * text.count("\n")


class source_file:
    def __init__(self, root, path):
        self.path = path  # relative, with slashes
        self.suffix = pathlib.PurePath(path).suffix
        self.name = pathlib.PurePath(path).name
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()

    @property
    def is_cpp(self):
        return self.suffix in CPP

    @property
    def is_code(self):
        return self.suffix in CODE or self.name in ("CMakeLists.txt", "run", "quickstart")

    @property
    def top(self):
        return self.path.split("/", 1)[0]

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def code(self, keep_strings=False):
        """C++ without comments and, unless kept, with every string empty. Lines stay lines."""

        def replace(match):
            token = match.group(0)
            if token.startswith("/"):
                return blank(token)
            return token if keep_strings else '""' + blank(token)

        return LITERAL.sub(replace, DIGIT_MARK.sub("", self.text))

    def includes(self):
        """(line number, text between the quotes or brackets, quoted?) of each #include."""
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if match:
                yield number, match.group(2), match.group(1) == '"'


def load(root):
    """Every text file git knows or would add; without git, every file but build output."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        names = listing.stdout.splitlines()
    else:
        names = [
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and not {"build", ".git"} & set(path.relative_to(root).parts)
        ]
    kept = []
    for name in sorted(set(names)):
        path = root / name
        # A file can vanish between listing and reading while somebody edits.
        # Pictures have no text, but documents link to them.
        is_picture = path.suffix == ".png"
        if path.is_file() and (is_picture or b"\0" not in path.read_bytes()[:4096]):
            kept.append(source_file(root, name))
    return kept
