#include "dev/smtp_sink.hpp"

#include "dev/sink_file.hpp"
#include "dev/smtp_dialogue.hpp"
#include "net/listener.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace workerd {

using boost::asio::ip::tcp;

namespace {

constexpr std::chrono::seconds idle_time{60};

std::string stored_text(const smtp_dialogue::mail& mail) {
    std::string text = "X-Envelope-From: <" + mail.from + ">\r\n";
    for (const auto& recipient : mail.to)
        text += "X-Envelope-To: <" + recipient + ">\r\n";
    return text + mail.data;
}

}  // namespace

smtp_sink::smtp_sink(tasks& tasks, logger& log, std::filesystem::path folder,
                     unsigned short preferred_port)
    : tasks_{tasks},
      log_{log},
      folder_{std::move(folder)},
      acceptor_{listen_on_loopback(tasks.loop(), preferred_port)} {}

void smtp_sink::start() {
    tasks_.spawn("smtp_sink", accept_loop());
}

void smtp_sink::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

unsigned short smtp_sink::port() const {
    return acceptor_.local_endpoint().port();
}

boost::asio::awaitable<void> smtp_sink::accept_loop() {
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(use_tuple);
        if (error)
            co_return;
        tasks_.spawn("smtp_connection", serve(std::move(socket)));
    }
}

boost::asio::awaitable<void> smtp_sink::serve(tcp::socket socket) {
    boost::beast::tcp_stream stream{std::move(socket)};
    smtp_dialogue dialogue;
    std::string input;
    std::string reply = smtp_dialogue::greeting();
    while (true) {
        stream.expires_after(idle_time);
        if (!reply.empty()) {
            auto [write_error, written] =
                co_await boost::asio::async_write(stream, boost::asio::buffer(reply), use_tuple);
            if (write_error)
                co_return;
            reply.clear();
        }
        if (dialogue.is_over())
            co_return;
        auto limited = boost::asio::dynamic_buffer(input, smtp_dialogue::line_bytes_max);
        auto [read_error, length] =
            co_await boost::asio::async_read_until(stream, limited, "\r\n", use_tuple);
        if (read_error)
            co_return;
        const std::string line = input.substr(0, length - 2);
        input.erase(0, length);
        reply = dialogue.on_line(line);
        if (!dialogue.has_mail())
            continue;
        const auto mail = dialogue.take_mail();
        try {
            const auto path = write_sink_file(folder_, ".eml", stored_text(mail));
            log_.info("mail_taken", "the development sink took a mail",
                      {{"file", path.string()}, {"recipients", mail.to.size()}});
            reply = "250 2.0.0 taken as " + path.filename().string() + "\r\n";
        } catch (const std::exception& error) {
            log_.error("mail_refused", "the development sink could not store a mail",
                       {{"err.code", "io"}, {"err.msg", error.what()}});
            reply = "451 4.3.0 cannot store the message\r\n";
        }
    }
}

}  // namespace workerd
