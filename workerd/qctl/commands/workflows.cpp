#include "commands/commands.hpp"
#include "printable.hpp"
#include "unwrapped.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

namespace qctl {

namespace {

using libqueue::report;

/// The rows of a lineage as a tree: below each job what came of it.
class job_tree {
   public:
    job_tree(const report& rows, std::string marked) : rows_{rows}, marked_{std::move(marked)} {
        constexpr std::array<std::string_view, 6> names{"id",   "from_id", "relation",
                                                        "kind", "queue",   "state"};
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto found =
                std::ranges::find(rows.columns, names.at(i), &libqueue::column::name);
            places_.at(i) = static_cast<std::size_t>(found - rows.columns.begin());
        }
        std::set<std::string> ids;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            ids.insert(cell(i, id));
        }
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            const auto from = cell(i, from_id);
            below_[ids.contains(from) ? from : std::string{}].push_back(i);
        }
    }

    [[nodiscard]] std::string text() {
        draw({}, 0);
        return std::move(text_);
    }

   private:
    enum place : std::size_t { id, from_id, relation, kind, queue, state };

    [[nodiscard]] std::string cell(std::size_t row, place which) const {
        return rows_.rows[row].at(places_.at(which)).value_or("");
    }

    void draw(const std::string& above, std::size_t depth) {
        for (const auto row : below_[above]) {
            const auto own = cell(row, id);
            const auto how = cell(row, relation);
            text_ += std::string(depth * 2, ' ') + own + "  " + printable(cell(row, kind)) + "  " +
                     cell(row, state) + "  " + printable(cell(row, queue)) +
                     (how.empty() ? "" : "  " + how + ' ' + cell(row, from_id)) +
                     (own == marked_ ? "  <" : "") + '\n';
            if (drawn_.insert(own).second) {
                draw(own, depth + 1);
            }
        }
    }

    const report& rows_;
    std::string marked_;
    std::array<std::size_t, 6> places_{};
    std::map<std::string, std::vector<std::size_t>> below_;
    std::set<std::string> drawn_;
    std::string text_;
};

}  // namespace

exit_code run_workflows_show(context& with) {
    const auto& id = with.call.arguments[0];
    const auto rows = unwrapped(with.jobs().workflow(read_id(id, "ID")));
    const bool people =
        with.options.format == output_format::table || with.options.format == output_format::wide;
    if (people && with.options.columns.empty()) {
        write_output(job_tree{rows, id}.text());
    } else {
        with.print_list(rows);
    }
    return exit_code::ok;
}

}  // namespace qctl
