#include "render_table.hpp"

#include "printable.hpp"
#include "zone.hpp"

#include <algorithm>
#include <numeric>

namespace qctl {

namespace {

using libqueue::column_type;
using libqueue::report;

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view plain = "\x1b[0m";
constexpr std::string_view nothing = "-";
constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 10;

std::string_view state_color(std::string_view text) noexcept {
    if (text == "completed" || text == "retried") {
        return "\x1b[32m";
    }
    if (text == "dead" || text == "failed") {
        return "\x1b[31m";
    }
    if (text == "retrying" || text == "cancelled") {
        return "\x1b[33m";
    }
    return text == "running" ? "\x1b[36m" : "";
}

std::string painted(const std::string& text, std::string_view color) {
    return color.empty() ? text : std::string{color} + text + std::string{plain};
}

std::string clock_cell(column_type type, const std::string& cell, const view& how) {
    if (type == column_type::time && !how.zone.empty()) {
        if (const auto when = read_instant(cell)) {
            return zoned_instant(*when, how.zone);
        }
    }
    return printable(plain_cell(type, cell));
}

std::string shown_cell(column_type type, const std::optional<std::string>& cell, const view& how) {
    if (!cell) {
        return std::string{nothing};
    }
    if (type == column_type::time && how.zone.empty() && how.for_people) {
        if (const auto when = read_instant(*cell)) {
            return relative_instant(*when, how.now);
        }
    }
    return clock_cell(type, *cell, how);
}

bool is_numeric(column_type type) noexcept {
    return type == column_type::integer || type == column_type::number;
}

bool may_shrink(column_type type) noexcept {
    return type == column_type::text || type == column_type::json;
}

// Takes the missing columns away from the widest texts, never below what can still be read.
void shrink(std::vector<std::size_t>& widths, const report& of, std::size_t available) {
    const auto total = [&] {
        return std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * gap);
    };
    while (total() > available) {
        std::optional<std::size_t> widest;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const bool candidate = may_shrink(of.columns[i].type) && widths[i] > narrowest;
            if (candidate && (!widest || widths[i] > widths[*widest])) {
                widest = i;
            }
        }
        if (!widest) {
            return;
        }
        const auto excess = std::min(total() - available, widths[*widest] - narrowest);
        // One text alone is not starved while another is as wide.
        widths[*widest] -= std::max<std::size_t>(1, excess / 2);
    }
}

std::string padded(const std::string& text, std::size_t width, bool right) {
    const auto used = display_width(text);
    const std::string fill(width > used ? width - used : 0, ' ');
    return right ? fill + text : text + fill;
}

class table_layout {
   public:
    table_layout(const report& of, const view& how) : of_{of}, how_{how} {
        for (const auto& row : of.rows) {
            auto& cells = cells_.emplace_back();
            for (std::size_t i = 0; i < row.size(); ++i) {
                cells.push_back(shown_cell(of.columns[i].type, row[i], how));
            }
        }
        for (std::size_t i = 0; i < of.columns.size(); ++i) {
            std::size_t width = how.headers ? display_width(header(i)) : 0;
            for (const auto& cells : cells_) {
                width = std::max(width, display_width(cells[i]));
            }
            widths_.push_back(width);
        }
        if (how.for_people && how.format == output_format::table) {
            shrink(widths_, of, how.width);
        }
    }

    [[nodiscard]] std::string text() const {
        std::string all;
        if (how_.headers) {
            std::vector<std::string> names;
            for (std::size_t i = 0; i < of_.columns.size(); ++i) {
                names.push_back(header(i));
            }
            const auto head = line(names);
            all += how_.color ? painted(head, bold) + '\n' : head + '\n';
        }
        for (const auto& cells : cells_) {
            all += line(cells) + '\n';
        }
        return all;
    }

   private:
    [[nodiscard]] std::string header(std::size_t at) const {
        std::string name = printable(of_.columns[at].name);
        std::ranges::transform(name, name.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        return name;
    }

    [[nodiscard]] std::string line(const std::vector<std::string>& cells) const {
        std::string text;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool last = i + 1 == cells.size();
            const bool right = is_numeric(of_.columns[i].type);
            const auto cut = how_.for_people ? fitted(cells[i], widths_[i]) : cells[i];
            const auto cell = last && !right ? cut : padded(cut, widths_[i], right);
            const bool state = how_.color && of_.columns[i].name == "state";
            text += state ? painted(cell, state_color(cells[i])) : cell;
            text += last ? "" : std::string(gap, ' ');
        }
        return text;
    }

    const report& of_;
    const view& how_;
    std::vector<std::vector<std::string>> cells_;
    std::vector<std::size_t> widths_;
};

}  // namespace

std::string plain_cell(column_type type, const std::string& cell) {
    if (type == column_type::time) {
        const auto when = read_instant(cell);
        return when ? iso_instant(*when) : cell;
    }
    if (type == column_type::boolean) {
        return cell == "t" || cell == "true" ? "true" : "false";
    }
    return cell;
}

std::string table_text(const report& of, const view& how) {
    return of.columns.empty() ? "" : table_layout{of, how}.text();
}

std::string vertical_text(const report& of, const view& how) {
    std::size_t width = 0;
    for (const auto& column : of.columns) {
        width = std::max(width, display_width(printable(column.name)));
    }
    std::string text;
    for (std::size_t i = 0; i < of.columns.size(); ++i) {
        const auto& column = of.columns[i];
        const auto& cell = of.rows[0][i];
        const auto name = padded(printable(column.name), width + gap, false);
        std::string value = cell ? clock_cell(column.type, *cell, how) : std::string{nothing};
        if (column.name == "state" && how.color) {
            value = painted(value, state_color(value));
        }
        if (const auto when = column.type == column_type::time && how.for_people && cell
                                  ? read_instant(*cell)
                                  : std::nullopt) {
            value += " (" + relative_instant(*when, how.now) + ")";
        }
        text += (how.color ? painted(name, bold) : name) + value + '\n';
    }
    return text;
}

}  // namespace qctl
