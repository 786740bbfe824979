#include "solana_node.hpp"

#include "processors/mint/signing_key.hpp"
#include "wait_until.hpp"

#include <boost/json.hpp>
#include <curl/curl.h>

#include <sys/stat.h>

#include <sstream>
#include <stdexcept>

namespace test {

namespace json = boost::json;

namespace {

std::string modules_folder() {
    const auto script = source_dir() / "scripts" / "install-node-modules";
    const auto installed = run_command(process_options{script.string()}, std::chrono::seconds{280});
    if (installed.code != 0) {
        throw std::runtime_error{"the Solana node cannot be had:\n" + installed.errors};
    }
    return installed.output.substr(0, installed.output.find('\n'));
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* into) {
    static_cast<std::string*>(into)->append(data, size * count);
    return size * count;
}

class easy_deleter {
   public:
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};

}  // namespace

solana_node::solana_node(int slot_ms) {
    json::object options;
    options["modules"] = modules_folder();
    options["slot_ms"] = slot_ms;
    const auto script = source_dir() / "tests" / "support" / "solana_node" / "server.js";
    server_ = std::make_unique<process>(
        process_options{"node", {script.string(), json::serialize(options)}});
    const auto listening = [&] {
        return server_->output().find('\n') != std::string::npos || !server_->running();
    };
    const bool over = wait_until(listening, std::chrono::seconds{20});
    std::istringstream said{server_->output()};
    if (!over || !(said >> port_)) {
        throw std::runtime_error{"the Solana node did not start:\n" + server_->errors()};
    }
    const std::string seed(32, 'w');
    wallet_ = libqueue::processors::mint::signing_key{seed}.address().text();
    key_file_ = write_key("wallet.json", seed);
    fund(wallet_, 100'000'000'000);
}

std::string solana_node::url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string{path};
}

std::filesystem::path solana_node::write_key(std::string_view name, std::string_view seed) const {
    const libqueue::processors::mint::signing_key key{seed};
    const std::string bytes = std::string{seed} + std::string{key.address().bytes()};
    std::string text{"["};
    for (const char c : bytes) {
        text += (text.size() > 1 ? "," : "") + std::to_string(static_cast<unsigned char>(c));
    }
    const auto path = dir_.write(name, text + "]\n");
    ::chmod(path.c_str(), 0600);
    return path;
}

void solana_node::control(const std::string& order) const {
    (void)exchange("/control", &order);
}

void solana_node::fund(const std::string& address, std::int64_t lamports) const {
    control(R"({"fund":{"address":")" + address + R"(","lamports":)" + std::to_string(lamports) +
            "}}");
}

json::value solana_node::get(std::string_view path) const {
    return json::parse(exchange(std::string{path}, nullptr));
}

json::value solana_node::account(const std::string& address) const {
    return get("/account/" + address);
}

std::int64_t solana_node::count(std::string_view method) const {
    const auto counted = state();
    const auto* number = counted.at("counts").as_object().if_contains(method);
    return number == nullptr ? 0 : number->as_int64();
}

std::string solana_node::exchange(const std::string& target, const std::string* body) const {
    const std::unique_ptr<CURL, easy_deleter> handle{curl_easy_init()};
    std::string answer;
    const auto address = url(target);
    curl_easy_setopt(handle.get(), CURLOPT_URL, address.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer);
    if (body != nullptr) {
        curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
        curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, body->c_str());
    }
    long status = 0;
    const auto code = curl_easy_perform(handle.get());
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200) {
        throw std::runtime_error{"the Solana node answered " + std::to_string(status) + " to " +
                                 target + ": " + answer + server_->errors()};
    }
    return answer;
}

}  // namespace test
