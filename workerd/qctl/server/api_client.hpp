#pragma once

#include "server/api_report.hpp"
#include "settings.hpp"

#include <libqueue/error.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qctl {

/// A request below /api/v1.
class api_request {
   public:
    /// `method` in capitals; `path` begins with `/`, its parts escaped by `path_part`.
    api_request(std::string method_, std::string path_)
        : method{std::move(method_)}, path{std::move(path_)} {}

    std::string method;
    std::string path;
    std::vector<std::pair<std::string, std::string>> query;
    std::optional<std::string> body;      ///< JSON
    std::optional<std::string> if_match;  ///< ETag that must still hold
    /// The answer holds a secret, which the server does not keep for a second asking.
    bool only_once{false};
};

class api_answer {
   public:
    int status{0};
    std::string body;
    std::string request_id;
    std::string next_cursor;  ///< of answers that are lines
};

/// The API of a workerd over HTTP. One connection, kept; one thread at a time. Redirects are not
/// followed: the token is for this server alone.
class api_client {
   public:
    /// `tell` is given one line per request, without token and body. Throws `stop` (usage) when the
    /// URL is none, or the token would travel in clear text to another machine.
    api_client(const settings& options, std::function<void(const std::string&)> tell);
    ~api_client();
    api_client(const api_client&) = delete;
    api_client& operator=(const api_client&) = delete;

    /// Whatever the server answers. Throws `stop`: unreachable, timed_out, or outcome_unknown when
    /// something may have been changed and no answer came. A POST carries an Idempotency-Key of its
    /// own and is sent once more before that is said.
    [[nodiscard]] api_answer send(const api_request& request);

    /// The answer of a request that went well. Domain errors come as such; all others end the verb
    /// (`stop` with the server's request id).
    [[nodiscard]] libqueue::result<api_answer> ask(const api_request& request);

    /// A list that comes as a whole.
    [[nodiscard]] libqueue::result<libqueue::report> items(const api_request& request);
    /// Pages of a list, up to `most` rows, from a cursor of an earlier answer on. The cursor that
    /// comes back goes on behind the last row.
    [[nodiscard]] libqueue::result<api_page> pages(const api_request& request, int most,
                                                   std::optional<std::string> cursor = {});
    /// The same from the beginning; `next` is set when there are more and the list goes by falling
    /// ids.
    [[nodiscard]] libqueue::result<libqueue::report> list(const api_request& request, int most);
    [[nodiscard]] libqueue::result<libqueue::report> object(const api_request& request);

    [[nodiscard]] const std::string& url() const noexcept;

   private:
    class transfer;
    std::unique_ptr<transfer> transfer_;
};

/// Percent-encoded: a name is one part of a path, whatever is in it.
[[nodiscard]] std::string path_part(std::string_view text);

/// `http://host:8080` of `http://host:8080/`. Throws `stop` (usage) when it is no URL of a server,
/// or holds a user and password.
[[nodiscard]] std::string checked_server_url(std::string_view text);

/// The token of a file only its owner may read. Throws `stop` (usage).
[[nodiscard]] std::string read_token(const std::string& path);

}  // namespace qctl
