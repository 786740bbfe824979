#include "smtp_server.hpp"

#include "wait_until.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace test {

namespace json = boost::json;

namespace {

std::string_view name_of(smtp_answer::stage stage) {
    switch (stage) {
        case smtp_answer::stage::mail:
            return "mail";
        case smtp_answer::stage::rcpt:
            return "rcpt";
        case smtp_answer::stage::data:
            return "data";
    }
    return {};
}

std::string_view name_of(smtp_server_options::security tls) {
    switch (tls) {
        case smtp_server_options::security::none:
            return "none";
        case smtp_server_options::security::starttls:
            return "starttls";
        case smtp_server_options::security::implicit_tls:
            return "implicit";
    }
    return {};
}

std::string option_text(const smtp_server_options& options, const std::string& output,
                        const std::string& faults) {
    json::object all;
    all["output"] = output;
    all["tls"] = name_of(options.tls);
    if (options.certificate != nullptr) {
        all["cert"] = options.certificate->cert().string();
        all["key"] = options.certificate->key().string();
    }
    if (!options.user.empty()) {
        all["user"] = options.user;
        all["password"] = options.password;
    }
    if (!options.bearer.empty()) {
        all["bearer"] = options.bearer;
    }
    all["no_utf8"] = !options.utf8;
    all["faults"] = faults;
    json::array script;
    for (const auto& answer : options.script) {
        json::object entry;
        entry["on"] = name_of(answer.on);
        entry["reply"] = answer.reply;
        entry["match"] = answer.match;
        entry["drop"] = answer.drop;
        if (answer.times) {
            entry["times"] = *answer.times;
        }
        script.push_back(std::move(entry));
    }
    all["script"] = std::move(script);
    return json::serialize(all);
}

}  // namespace

smtp_server::smtp_server(const smtp_server_options& options) {
    const auto output = (dir_.path() / "messages.jsonl").string();
    fail_with("none");
    const auto faults = (dir_.path() / "faults").string();
    const auto script = source_dir() / "tests" / "support" / "smtp_server.py";
    // Debian's own: aiosmtpd is a Debian package, which another python3 on PATH does not see.
    server_ = std::make_unique<process>(process_options{
        "/usr/bin/python3", {script.string(), option_text(options, output, faults)}});
    const auto listening = [&] {
        return server_->output().find('\n') != std::string::npos || !server_->running();
    };
    const bool over = wait_until(listening, std::chrono::seconds{20});
    std::istringstream said{server_->output()};
    if (!over || !(said >> port_)) {
        throw std::runtime_error{"the SMTP server did not start:\n" + server_->errors()};
    }
}

void smtp_server::fail_with(const std::string& fault) {
    // Whole or not at all: the server may be reading it.
    const auto next = dir_.write("faults.next", fault);
    std::filesystem::rename(next, dir_.path() / "faults");
}

std::vector<smtp_message> smtp_server::messages() const {
    std::size_t offset = 0;
    return messages_since(offset);
}

std::vector<smtp_message> smtp_server::messages_since(std::size_t& offset) const {
    std::vector<smtp_message> all;
    std::ifstream file{dir_.path() / "messages.jsonl", std::ios::binary};
    file.seekg(static_cast<std::streamoff>(offset));
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    std::size_t begin = 0;
    // Only whole lines: the server may be writing the last one.
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        const auto line = json::parse(text.substr(begin, end - begin)).as_object();
        smtp_message message;
        message.from = json::value_to<std::string>(line.at("from"));
        message.to = json::value_to<std::vector<std::string>>(line.at("to"));
        message.data = json::value_to<std::string>(line.at("data"));
        message.tls = line.at("tls").as_bool();
        message.user = json::value_to<std::string>(line.at("user"));
        message.helo = json::value_to<std::string>(line.at("helo"));
        all.push_back(std::move(message));
        begin = end + 1;
    }
    offset += begin;
    return all;
}

bool smtp_server::wait_for_messages(std::size_t count, std::chrono::milliseconds deadline) const {
    return wait_until([&] { return messages().size() >= count; }, deadline);
}

}  // namespace test
