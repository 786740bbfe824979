#include "stream.hpp"

#include "api_call.hpp"
#include "net/tasks.hpp"

#include <libqueue/error.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <set>

namespace workerd::api {

namespace {

using namespace std::chrono_literals;

constexpr auto sample_every = 2s;
constexpr auto token_every = 6s;
constexpr auto heartbeat = 15s;
constexpr auto statement_time = 2s;
constexpr std::size_t ring_max = 256;
constexpr std::size_t waiting_max = 64;
constexpr int of_caller_max = 20;

// What is sampled: the event's name, the route whose answer it is, and whether each row is an event
// of its own.
class sampled {
   public:
    std::string_view event;
    std::string_view path;
    bool by_row;
};
constexpr std::array samples{sampled{"overview", "/overview", false},
                             sampled{"operation", "/operations", true},
                             sampled{"alert", "/alerts", true}};

const route* route_of(std::string_view path) {
    const auto& all = all_routes();
    const auto found = std::ranges::find_if(
        all, [&](const route& each) { return each.method == verb::get && each.path == path; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

class event_scope {
   public:
    explicit event_scope(std::string tenant_) : tenant{std::move(tenant_)} {}

    // An event of the ring, as it is sent.
    class entry {
       public:
        entry(std::uint64_t number_, std::shared_ptr<const std::string> text_)
            : number{number_}, text{std::move(text_)} {}
        std::uint64_t number;
        std::shared_ptr<const std::string> text;  // shared with the feeds that have not sent it
    };

    void publish(const std::string& stamp, std::string_view event, std::string_view data) {
        ++last;
        auto text = std::make_shared<const std::string>(
            "id: " + stamp + '-' + std::to_string(last) + "\nevent: " + std::string{event} +
            "\ndata: " + std::string{data} + "\n\n");
        if (event == "overview")
            overview = text;
        ring.emplace_back(last, text);
        if (ring.size() > ring_max)
            ring.pop_front();
        for (auto* feed : feeds)
            feed->push(text);
    }

    std::string tenant;
    std::vector<event_feed*> feeds;
    std::deque<entry> ring;
    std::uint64_t last = 0;
    std::shared_ptr<const std::string> overview;  // the latest, for whoever comes
    bool sampling = false;
    // Of the sampler, which is on the loop or on one thread of the pool, never on both.
    std::vector<std::pair<std::string_view, std::string>> found;
    std::map<std::string, std::string> rows;  ///< of the latest sample, by event and id
    std::set<std::string> tokens;             ///< to look at
    std::set<std::string> bad_tokens;
    bool first = true;
};

std::unique_ptr<stream_seats::seat> stream_seats::take(const std::string& caller) {
    {
        const std::lock_guard lock{mutex_};
        if (taken_ >= most_) {
            problem why{503, "unavailable", "too many streams are open"};
            why.retry_after = 10;
            throw refused{std::move(why)};
        }
        auto& has = of_caller_[caller];
        if (has >= of_caller_max) {
            problem why{429, "rate_limited",
                        "expected at most " + std::to_string(of_caller_max) +
                            " open streams of one caller"};
            why.retry_after = 10;
            throw refused{std::move(why)};
        }
        ++has;
        ++taken_;
    }
    return std::make_unique<seat>(shared_from_this(), caller);
}

void stream_seats::give_back(const std::string& caller) noexcept {
    const std::lock_guard lock{mutex_};
    --taken_;
    const auto found = of_caller_.find(caller);
    if (found != of_caller_.end() && --found->second == 0)
        of_caller_.erase(found);
}

event_feed::event_feed(event_hub& hub, std::unique_ptr<stream_seats::seat> seat, std::string tenant,
                       std::string token, std::string last_id)
    : hub_{hub},
      seat_{std::move(seat)},
      tenant_{std::move(tenant)},
      token_{std::move(token)},
      last_id_{std::move(last_id)} {}

event_feed::~event_feed() {
    if (scope_)
        event_hub::leave(*this);
}

void event_feed::push(std::shared_ptr<const std::string> text) {
    waiting_.push_back(std::move(text));
    // It does not read as fast as things happen: let go, it comes back where it was.
    if (waiting_.size() > waiting_max)
        close();
    timer_->cancel();
}

void event_feed::close() {
    ended_ = true;
    waiting_.clear();
    if (timer_)
        timer_->cancel();
}

boost::asio::awaitable<std::string> event_feed::next() {
    if (!scope_) {
        hub_.join(*this);
        co_return "retry: 2000\n\n";
    }
    if (waiting_.empty() && !ended_) {
        timer_->expires_after(heartbeat);
        auto [error] = co_await timer_->async_wait(use_tuple);
        // Nothing happened: a line that says so keeps proxies from closing, and shows us a client
        // that has gone.
        if (!error)
            co_return ":\n\n";
    }
    if (ended_)
        co_return std::string{};
    std::string text;
    while (!waiting_.empty()) {
        text += *waiting_.front();
        waiting_.pop_front();
    }
    co_return text.empty() ? std::string{":\n\n"} : text;
}

event_hub::event_hub(tasks& tasks, call_pool& pool, const surroundings& around, authenticator& who,
                     int most)
    : tasks_{tasks},
      pool_{pool},
      around_{around},
      who_{who},
      seats_{std::make_shared<stream_seats>(most)},
      stamp_{std::to_string(std::chrono::system_clock::now().time_since_epoch() /
                            std::chrono::milliseconds{1})} {}

event_hub::~event_hub() = default;

std::shared_ptr<event_feed> event_hub::open(const libqueue::principal& who, std::string token,
                                            std::string last_id) {
    auto tenant = who.tenant_id.value_or("");
    auto seat = seats_->take(tenant + '\n' + who.actor);
    return std::make_shared<event_feed>(*this, std::move(seat), std::move(tenant), std::move(token),
                                        std::move(last_id));
}

void event_hub::stop() {
    stopped_ = true;
    for (auto& [tenant, scope] : scopes_)
        for (auto* feed : scope->feeds)
            feed->close();
}

void event_hub::join(event_feed& feed) {
    auto& scope = scopes_[feed.tenant_];
    if (!scope)
        scope = std::make_shared<event_scope>(feed.tenant_);
    feed.scope_ = scope;
    feed.timer_ = std::make_unique<boost::asio::steady_timer>(tasks_.loop());
    feed.ended_ = feed.ended_ || stopped_;
    scope->feeds.push_back(&feed);
    std::uint64_t seen = 0;
    const auto prefix = stamp_ + '-';
    const bool is_ours = feed.last_id_.starts_with(prefix);
    if (is_ours)
        std::from_chars(feed.last_id_.data() + prefix.size(),
                        feed.last_id_.data() + feed.last_id_.size(), seen);
    const bool is_kept = is_ours && !scope->ring.empty() && seen + 1 >= scope->ring.front().number;
    if (is_kept) {
        for (const auto& each : scope->ring)
            if (each.number > seen)
                feed.waiting_.push_back(each.text);
    } else if (scope->overview) {
        feed.waiting_.push_back(scope->overview);
    }
    if (!scope->sampling && !stopped_) {
        scope->sampling = true;
        tasks_.spawn("event_sampler", sample(scope));
    }
}

void event_hub::leave(event_feed& feed) noexcept {
    std::erase(feed.scope_->feeds, &feed);
}

boost::asio::awaitable<void> event_hub::sample(std::shared_ptr<event_scope> scope) {
    boost::asio::steady_timer timer{tasks_.loop()};
    auto tokens_at = std::chrono::steady_clock::now();
    while (!stopped_ && !scope->feeds.empty()) {
        const auto begun = std::chrono::steady_clock::now();
        if (begun - tokens_at > token_every) {
            tokens_at = begun;
            for (const auto* feed : scope->feeds)
                scope->tokens.insert(feed->token_);
        }
        call_pool::work work = [this, &scope](libqueue::client& database) {
            ask(*scope, database);
        };
        static_cast<void>(co_await pool_.run(std::move(work)));
        for (const auto& [event, data] : scope->found)
            scope->publish(stamp_, event, data);
        scope->found.clear();
        for (auto* feed : scope->feeds)
            if (scope->bad_tokens.contains(feed->token_))
                feed->close();
        scope->bad_tokens.clear();
        timer.expires_at(begun + sample_every);
        static_cast<void>(co_await timer.async_wait(use_tuple));
    }
    scope->sampling = false;
    if (scope->feeds.empty() && !stopped_)
        scopes_.erase(scope->tenant);
}

// On a thread of the pool, while the loop leaves the sampler's part of the scope alone.
void event_hub::ask(event_scope& scope, libqueue::client& database) {
    try {
        database.act_as_self();
        for (const auto& token : std::exchange(scope.tokens, {}))
            if (!who_.find(token, database))
                scope.bad_tokens.insert(token);
        const std::optional<std::string> tenant =
            scope.tenant.empty() ? std::nullopt : std::optional{scope.tenant};
        const libqueue::principal viewer{"stream", libqueue::role::viewer, tenant};
        database.act_as(viewer, statement_time).value();
        const request_facts facts;
        std::map<std::string, std::string> rows;
        for (const auto& each : samples) {
            const auto* from = route_of(each.path);
            if (from == nullptr)
                continue;
            api_call call{*from, facts, viewer, database, around_};
            auto seen = from->run(call);
            if (!each.by_row) {
                scope.found.emplace_back(each.event, std::move(seen.body));
                continue;
            }
            const auto body = boost::json::parse(seen.body);
            for (const auto& row : body.at("items").as_array()) {
                auto text = boost::json::serialize(row);
                auto key = std::string{each.event} + ' ' +
                           boost::json::serialize(row.as_object().at("id"));
                const auto before = scope.rows.find(key);
                const bool is_known = before != scope.rows.end() && before->second == text;
                if (!is_known && !scope.first)
                    scope.found.emplace_back(each.event, text);
                rows.insert_or_assign(std::move(key), std::move(text));
            }
        }
        // What has left the lists is forgotten: they are short, and days are long.
        scope.rows = std::move(rows);
        scope.first = false;
    } catch (const std::exception&) {
        // The database is away or slow, which /health says; viewers see the last they got, and
        // heartbeats.
    }
}

}  // namespace workerd::api
