#include "commands/commands.hpp"
#include "man_pages.hpp"
#include "values.hpp"

#include <filesystem>
#include <fstream>

namespace qctl {

exit_code run_man(context& with) {
    const auto pages = man_pages();
    const auto directory = with.call.text("dir");
    if (!directory) {
        write_output(pages.front().text);
        return exit_code::ok;
    }
    if (!with.options.dry_run) {
        std::error_code error;
        std::filesystem::create_directories(*directory, error);
        for (const auto& page : pages) {
            const auto path = std::filesystem::path{*directory} / page.name;
            std::ofstream file{path, std::ios::binary | std::ios::trunc};
            file << page.text;
            file.close();
            if (!file) {
                throw stop{exit_code::failed, "failed", "cannot write " + path.string(),
                           "check the folder given with --dir"};
            }
        }
    }
    with.notes.note((with.options.dry_run ? "would write " : "wrote ") +
                    counted(static_cast<std::int64_t>(pages.size()), "page", "pages"));
    return exit_code::ok;
}

}  // namespace qctl
