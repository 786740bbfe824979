#include "man_pages.hpp"

#include "exit_code.hpp"
#include "help.hpp"

#include <libqueue/version.hpp>

#include <algorithm>

namespace qctl {

namespace {

// Text that roff prints as it is. A hyphen is a minus, so that options can be copied; a line that
// begins with a control character would be taken for a request.
std::string escaped(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if (c == '\'') {
            out += "\\(aq";
        } else if (c == '`') {
            out += "\\(ga";
        } else if (c == '^') {
            out += "\\(ha";
        } else if (c == '~') {
            out += "\\(ti";
        } else {
            out += c;
        }
        line_begins = c == '\n';
    }
    return out;
}

// The argument of a macro is one word only in quotes.
std::string in_macro(std::string_view text) {
    std::string out{"\""};
    for (const char c : escaped(text)) {
        out += c == '"' ? std::string{"\\(dq"} : std::string(1, c);
    }
    return out + '"';
}

std::string page_name(const command& of) {
    std::string name = "qctl";
    for (const auto part : {of.group, of.name}) {
        if (!part.empty()) {
            name += '-';
            name += part;
        }
    }
    std::ranges::replace(name, ' ', '-');
    return name;
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

// No date: the same source gives the same page.
std::string heading(const std::string& name, std::string_view summary) {
    return ".TH " + in_macro(upper(name)) + " 1 \"\" " +
           in_macro("qctl " + std::string{libqueue::version}) + " \"libqueue\"\n" + ".SH NAME\n" +
           escaped(name) + " \\- " + escaped(summary) + '\n';
}

std::string paragraphs(std::string_view doc) {
    std::string out;
    while (!doc.empty()) {
        const auto gap = doc.find("\n\n");
        out += ".PP\n" + escaped(doc.substr(0, gap)) + '\n';
        doc = gap == std::string_view::npos ? std::string_view{} : doc.substr(gap + 2);
    }
    return out;
}

std::string literal(std::string_view text) {
    auto body = escaped(text);
    while (body.ends_with('\n')) {
        body.pop_back();
    }
    return ".PP\n.nf\n.RS 2\n" + body + "\n.RE\n.fi\n";
}

std::string trimmed(const std::string& text) {
    return text.substr(text.find_first_not_of(' '));
}

std::string flag_list(std::span<const flag> flags) {
    std::string out;
    for (const auto& each : flags) {
        out += ".TP\n.B " + in_macro(trimmed(flag_heading(each))) + '\n' + escaped(each.doc) + '\n';
    }
    return out;
}

std::string exit_codes() {
    std::string out = ".SH EXIT STATUS\n";
    for (const auto& each : exit_code_meanings) {
        out += ".TP\n.B " + std::to_string(static_cast<int>(each.code)) + '\n' +
               escaped(each.meaning) + '\n';
    }
    return out;
}

std::string command_page(const command& leaf) {
    std::string text = heading(page_name(leaf), leaf.summary);
    text += ".SH SYNOPSIS\n.B " + in_macro(usage_line(leaf)) + '\n';
    text += ".SH DESCRIPTION\n" + escaped(leaf.summary) + ".\n" + paragraphs(leaf.doc);
    if (leaf.risk != danger::none) {
        text += ".PP\n" + escaped(danger_text(leaf.risk)) + '\n';
    }
    if (!leaf.arguments.empty()) {
        text += ".SH ARGUMENTS\n";
        for (const auto& each : leaf.arguments) {
            text += ".TP\n.B " + in_macro(each.name) + '\n' + escaped(each.doc) + '\n';
        }
    }
    if (!leaf.flags.empty()) {
        text += ".SH OPTIONS\n" + flag_list(leaf.flags);
    }
    text += ".SH EXAMPLES\n";
    for (const auto& each : leaf.examples) {
        text += literal(each);
    }
    return text + ".SH SEE ALSO\n.BR qctl (1)\n";
}

std::string main_page() {
    std::string text = heading("qctl", "the command line of the libqueue job queue");
    text += ".SH SYNOPSIS\n.B qctl\nCOMMAND [FLAGS] [ARGUMENTS]\n.SH DESCRIPTION\n";
    text += escaped(
                "Enqueue jobs, look at them, act on them, migrate the schema; on the database "
                "itself or over the API of a workerd.") +
            '\n';
    text += ".SH COMMANDS\n";
    for (const auto& each : commands()) {
        text += ".TP\n.BR " + in_macro(page_name(each)) + " (1)\n" + escaped(each.summary) + '\n';
    }
    text += ".SH OPTIONS\nAccepted before and after every command.\n" + flag_list(global_flags());
    text += exit_codes();
    for (const auto& each : topics()) {
        if (!each.text.empty()) {
            text += ".SH " + in_macro(upper(std::string{each.name})) + '\n' +
                    escaped(each.summary) + ".\n" + literal(each.text);
        }
    }
    return text;
}

}  // namespace

std::vector<man_page> man_pages() {
    std::vector<man_page> pages;
    pages.push_back(man_page{.name = "qctl.1", .text = main_page()});
    for (const auto& each : commands()) {
        pages.push_back(man_page{.name = page_name(each) + ".1", .text = command_page(each)});
    }
    return pages;
}

}  // namespace qctl
