"""Who may include what: the arrows of the layers only point down."""

import re

# layer -> private folders it may include, beside its own
BELOW = {
    "core": [],
    "pg": ["core"],
    "store": ["core", "pg"],
    "engine": ["core", "pg", "store"],
    "api": ["core", "pg", "store", "engine"],
    "testing": ["core", "pg", "store", "engine"],
    "boost": [],
}
PRIVATE = re.compile(r"^(core|pg|store|engine|api)/")

# include -> (folders that may, why)
RESERVED = {
    r"^libpq": (
        ("libqueue/src/pg/", "tests/", "bench/", "examples/"),
        "libpq is seen by the pg layer alone",
    ),
    r"^yaml-cpp/": (("workerd/", "tests/"), "YAML is workerd's business"),
    r"^cxxopts": (("workerd/", "tests/", "bench/"), "command lines are the programs' business"),
    r"^spdlog/": (("workerd/", "tests/"), "the library speaks through observer, not a logger"),
    r"^fmt/": (("workerd/", "tests/", "bench/"), "fmt is seen by workerd alone"),
    r"^curl/": (
        ("processors/", "workerd/qctl/server/", "tests/"),
        "HTTP and SMTP clients are the processors' business, and qctl's towards the API",
    ),
    r"^doctest/": (("tests/",), "doctest is for tests"),
}


def check_public_header(file, number, target, quoted):
    if quoted:
        yield number, f'public headers include with <>; got "{target}"'
    elif "/" in target and not re.match(r"^(libqueue|boost|sys)/", target):
        yield number, f"public headers include libqueue, Boost and std only; got <{target}>"


def check_library(file, number, target):
    layer = file.path.split("/")[2]
    private = PRIVATE.match(target)
    if private and private.group(1) != layer and private.group(1) not in BELOW.get(layer, []):
        yield number, f"layer {layer} may not include {target}: arrows point down"
    if layer == "core" and target.startswith("boost/asio"):
        yield number, "core is pure: no Asio"
    if re.match(r"^(workerd|processors|tests|bench|examples)/", target):
        yield number, f"the library may not include {target}"


def check_processor(file, number, target, quoted):
    own = "/".join(file.path.split("/")[:2]) + "/"
    if PRIVATE.match(target):
        yield number, f"processors use public headers only; got {target}"
    if quoted and not target.startswith((own, "processors/support/")) and "/" in target:
        yield number, f"processors include {own}, processors/support/ and <libqueue/>; got {target}"


def check(files):
    for file in files:
        if not file.is_cpp:
            continue
        for number, target, quoted in file.includes():
            for pattern, (allowed, why) in RESERVED.items():
                if re.search(pattern, target) and not file.path.startswith(allowed):
                    yield file, number, f"<{target}>: {why}"
            found = []
            if file.path.startswith("libqueue/include/"):
                found = check_public_header(file, number, target, quoted)
            elif file.path.startswith("libqueue/src/"):
                found = check_library(file, number, target)
            elif file.path.startswith("processors/"):
                found = check_processor(file, number, target, quoted)
            elif file.path.startswith(("workerd/", "examples/")) and PRIVATE.match(target):
                found = [(number, f"{target}: programs use public headers only")]
            elif file.path.startswith("tests/unit/") and target.startswith("pg/"):
                found = [(number, f"{target}: unit tests do no I/O")]
            for line, message in found:
                yield file, line, message
            if target.startswith("../") or "/../" in target:
                yield file, number, f"{target}: include by the path from the root of its folder"
            if target.endswith(".cpp"):
                yield file, number, f"{target}: a source is compiled, not included"
