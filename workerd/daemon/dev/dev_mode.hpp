#pragma once

#include "config/config.hpp"
#include "dev/dev_database.hpp"
#include "dev/dev_folder.hpp"
#include "dev/smtp_sink.hpp"
#include "dev/webhook_sink.hpp"
#include "logging/logger.hpp"
#include "net/tasks.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <optional>
#include <string>

namespace workerd {

/// `workerd --dev`: a private PostgreSQL, a mail sink and a webhook sink, and a configuration that
/// uses them. Nothing leaves the machine and nothing needs to be set up. The constructor starts
/// everything and completes `value`; the destructor stops it, the database last. Throws
/// std::runtime_error with a line for the user.
class dev_mode {
   public:
    dev_mode(tasks& tasks, logger& log, config& value, bool fresh);
    dev_mode(const dev_mode&) = delete;
    dev_mode& operator=(const dev_mode&) = delete;
    ~dev_mode();

    /// Called on the loop when PostgreSQL ends by itself.
    void on_database_end(std::function<void()> handler);
    /// Tells the user on stdout how to connect and what to try, and writes the same to dev.env.
    /// Nothing about a dashboard whose token is empty.
    void announce(const std::string& http_address, const std::string& dashboard_token) const;

   private:
    void complete(config& value);
    void write_environment(const std::string& http_address) const;
    [[nodiscard]] std::string webhook_secret() const;

    logger& log_;
    std::optional<system_user> user_;
    dev_folder folder_;
    dev_database database_;
    boost::asio::posix::stream_descriptor watch_;
    smtp_sink mails_;
    webhook_sink webhooks_;
};

}  // namespace workerd
