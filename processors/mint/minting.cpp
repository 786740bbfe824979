#include "processors/mint/minting.hpp"

#include "processors/mint/address.hpp"
#include "processors/mint/base58.hpp"
#include "processors/mint/metadata_store.hpp"
#include "processors/mint/result.hpp"
#include "processors/support/payload.hpp"

#include <algorithm>
#include <utility>

namespace libqueue::processors::mint {

namespace {

using boost::asio::awaitable;
using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr double lamports_per_sol{1e9};

/// A wallet that cannot pay, as the runtime and the system program say it.
bool says_too_poor(const std::string& transaction_error) {
    return transaction_error.find("InsufficientFunds") != std::string::npos ||
           transaction_error.find(R"({"Custom":1})") != std::string::npos ||
           transaction_error == R"("AccountNotFound")";
}

/// Refusals that say nothing of the transaction itself: the node has not seen our blockhash yet, or
/// has the transaction already.
bool says_wait(const std::string& transaction_error) {
    return transaction_error == R"("BlockhashNotFound")" ||
           transaction_error == R"("AlreadyProcessed")";
}

}  // namespace

minting::minting(const options& with, job_context& context)
    : with_{with},
      context_{context},
      view_{context},
      node_{with_, view_},
      ledger_{context, with.poll_interval},
      leave_at_{clock::now() + with.confirm_wait} {
    view_.executor = context.executor();
}

awaitable<outcome> minting::run() {
    auto said = co_await work();
    co_return last_word(std::move(said), who_, view_.job);
}

awaitable<outcome> minting::work() {
    auto early = co_await open();
    if (early) {
        co_return std::move(*early);
    }
    for (;;) {
        auto fault = co_await look();
        if (fault.what != rpc_fault::type::none) {
            co_return outcome_of(fault);
        }
        const auto verdict = judge_account(seen_.at_address, *order_);
        const auto step = next_step(record_.under_way, seen_, verdict.what);
        if (step == mint_step::blocked) {
            co_return given_up(*who_, "the address of this mint is taken: " + verdict.why);
        }
        if (step == mint_step::done) {
            auto done = co_await finish();
            co_return done;
        }
        auto over = co_await act(step);
        if (over) {
            co_return std::move(*over);
        }
    }
}

awaitable<minting::maybe_outcome> minting::open() {
    auto payload = mint_payload::parse(view_.job.payload);
    if (!payload) {
        co_return discard(payload.error().message);
    }
    payload_ = std::move(*payload);
    if (!payload_.uri && with_.metadata_url.empty()) {
        co_return discard("payload.uri: expected a URI, because no metadata_url is configured");
    }
    token_content content;
    content.name = payload_.name;
    content.symbol = payload_.symbol;
    content.uri = payload_.uri.value_or(
        (with_.metadata_uri.empty() ? with_.metadata_url : with_.metadata_uri) +
        metadata_name(payload_.metadata));
    who_.emplace(view_.job, payload_.key);
    const auto seed = seed_of(who_->tenant.value_or(""), who_->key);
    order_.emplace(with_.key->address(), payload_.recipient, seed, content);
    auto asking = open_mint(*who_, "chain", fingerprint_of(payload_), order_->payer.text(),
                            order_->mint.text(), order_->recipient.text());
    const auto answer = co_await context_.query(std::move(asking));
    if (!answer) {
        co_return retry(answer.error().message);
    }
    auto record = mint_record::read(*answer);
    if (!record) {
        co_return retry(record.error().message);
    }
    record_ = std::move(*record);
    if (record_.fingerprint != fingerprint_of(payload_)) {
        co_return discard(std::string{key_reused});
    }
    if (record_.minted) {
        auto output = record_.output;
        co_await ledger_.happened(*who_, output);
        co_return completed(std::move(output));
    }
    // The wallet may have changed meanwhile: what was signed with the old one is looked for where
    // that one put it.
    order_.emplace(record_.payer, payload_.recipient, seed, content);
    order_->compute_units = with_.compute_units;
    order_->compute_price = with_.compute_price;
    co_return std::nullopt;
}

awaitable<rpc_fault> minting::look() {
    auto fault = co_await look_at_one();
    const bool elsewhere = fault.what != rpc_fault::type::none &&
                           fault.what != rpc_fault::type::stopped && node_.has_other_endpoint();
    if (elsewhere) {
        node_.use_other_endpoint();
        fault = co_await look_at_one();
    }
    co_return fault;
}

awaitable<rpc_fault> minting::look_at_one() {
    chain_view seen;
    if (record_.under_way) {
        const auto height = co_await node_.block_height();
        if (!height) {
            co_return height.fault;
        }
        seen.height = *height.value;
        auto status = co_await node_.status(record_.under_way->signature);
        if (!status) {
            co_return status.fault;
        }
        seen.status = std::move(*status.value);
    }
    auto found = co_await node_.account_at(order_->mint);
    if (!found) {
        co_return found.fault;
    }
    seen.at_address = std::move(*found.value);
    seen_ = std::move(seen);
    co_return rpc_fault{};
}

awaitable<minting::maybe_outcome> minting::act(mint_step step) {
    switch (step) {
        case mint_step::sign: {
            auto over = co_await make_transaction();
            if (node_failed_ && !went_elsewhere_ && node_.has_other_endpoint()) {
                went_elsewhere_ = true;
                node_failed_ = false;
                node_.use_other_endpoint();
                co_return std::nullopt;
            }
            co_return over;
        }
        case mint_step::wait: {
            auto over = co_await wait();
            co_return over;
        }
        case mint_step::expired: {
            auto over = co_await give_up("expired", "its last block has passed");
            co_return over;
        }
        case mint_step::failed: {
            const auto why = "the transaction failed on the chain: " + seen_.status.error;
            auto over = co_await give_up("failed", why);
            if (!over) {
                over = says_too_poor(seen_.status.error) ? too_poor(why) : retry(why);
            }
            co_return over;
        }
        case mint_step::done:
        case mint_step::blocked:
            break;
    }
    co_return std::nullopt;
}

awaitable<minting::maybe_outcome> minting::check_wallet() {
    const auto rent = co_await node_.rent(mint_bytes(order_->content));
    if (!rent) {
        co_return outcome_of(rent.fault);
    }
    const auto token_rent = co_await node_.rent(token_bytes);
    if (!token_rent) {
        co_return outcome_of(token_rent.fault);
    }
    const auto balance = co_await node_.balance(order_->payer);
    if (!balance) {
        co_return outcome_of(balance.fault);
    }
    const auto there = seen_.at_address ? seen_.at_address->lamports : 0;
    missing_lamports_ = *rent.value - std::min(*rent.value, there);
    wallet_lamports_ = *balance.value;
    context_.level("solana_wallet_balance_sol",
                   static_cast<double>(wallet_lamports_) / lamports_per_sol);
    const auto needed =
        missing_lamports_ + *token_rent.value + fee_of(*order_) + with_.least_balance;
    if (wallet_lamports_ < needed) {
        co_return too_poor("the wallet holds less than a mint and its reserve need");
    }
    if (wallet_lamports_ < with_.warn_balance) {
        context_.log(log_level::warning,
                     "the wallet " + order_->payer.text() + " is running low: refill it");
    }
    co_return std::nullopt;
}

awaitable<minting::maybe_outcome> minting::make_transaction() {
    if (order_->payer != with_.key->address()) {
        // Nothing of the old wallet can land any more: the record is opened for this one.
        co_return snooze(0ms, "again with the present signing key");
    }
    if (view_.stop.stop_requested()) {
        co_return stopped_outcome(view_.stop_reason());
    }
    auto poor = co_await check_wallet();
    if (poor) {
        co_return poor;
    }
    if (!payload_.uri) {
        const auto fault = co_await upload_metadata(with_, view_, payload_.metadata);
        if (fault.what == rpc_fault::type::refused) {
            co_return given_up(*who_, fault.text);
        }
        if (fault.what != rpc_fault::type::none) {
            co_return outcome_of(fault);
        }
    }
    const auto recent = co_await node_.latest_blockhash();
    if (!recent) {
        co_return outcome_of(recent.fault);
    }
    const auto message = encode_message(
        order_->payer, mint_instructions(*order_, missing_lamports_), recent.value->blockhash);
    const auto signature = with_.key->sign(message);
    signed_transaction made;
    made.signature = base58_encode(signature);
    made.last_valid_height = recent.value->last_valid_height;
    made.bytes = encode_transaction(signature, message);
    if (made.bytes.size() > longest_transaction) {
        co_return given_up(*who_, "name, symbol and URI are too long for one transaction");
    }
    auto held = co_await ledger_.begin(*who_);
    if (held) {
        co_return held;
    }
    auto keeping = add_attempt(*who_, order_->payer, made, wallet_lamports_);
    const auto kept = co_await context_.query(std::move(keeping));
    if (!kept) {
        auto over = co_await ledger_.did_not_happen();
        co_return over ? std::move(*over) : snooze(with_.poll_interval, kept.error().message);
    }
    record_.under_way = std::move(made);
    perhaps_sent_ = false;
    auto over = co_await send();
    co_return over;
}

awaitable<minting::maybe_outcome> minting::send() {
    sent_at_ = clock::now();
    auto answer = co_await node_.send(record_.under_way->bytes);
    if (answer) {
        perhaps_sent_ = true;
        co_return std::nullopt;
    }
    switch (answer.fault.what) {
        case rpc_fault::type::none:
        case rpc_fault::type::unreachable:
        case rpc_fault::type::stopped:
            perhaps_sent_ = true;
            if (node_.has_other_endpoint()) {
                node_.use_other_endpoint();
            }
            co_return std::nullopt;
        case rpc_fault::type::throttled:
        case rpc_fault::type::behind:
        case rpc_fault::type::refused:
            if (node_.has_other_endpoint()) {
                node_.use_other_endpoint();
            }
            co_return std::nullopt;
        case rpc_fault::type::rejected:
            break;
    }
    const auto& why = answer.fault.transaction_error;
    // Once anybody may have the bytes, a refusal can be the echo of their landing: look.
    if (perhaps_sent_ || says_wait(why)) {
        co_return std::nullopt;
    }
    const auto text = "the node refused the transaction: " + why;
    auto over = co_await give_up("refused", text);
    if (!over) {
        over = says_too_poor(why) ? too_poor(text) : retry(text);
    }
    co_return over;
}

awaitable<minting::maybe_outcome> minting::wait() {
    const auto now = clock::now();
    if (now - sent_at_ >= with_.resend_interval) {
        auto over = co_await send();
        if (over) {
            co_return over;
        }
    }
    const bool late = now >= leave_at_ || now + with_.poll_interval >= view_.deadline;
    bool whole = !late;
    if (!late) {
        whole = co_await context_.sleep(with_.poll_interval);
    }
    if (whole) {
        co_return std::nullopt;
    }
    rpc_fault fault{rpc_fault::type::stopped, "the transaction is sent and not confirmed yet"};
    co_return outcome_of(fault);
}

awaitable<minting::maybe_outcome> minting::give_up(std::string_view state, std::string why) {
    auto ending = end_attempt(record_.under_way->signature, state, why);
    const auto ended = co_await context_.query(std::move(ending));
    if (!ended) {
        co_return retry(ended.error().message);
    }
    context_.log(log_level::warning, "transaction " + record_.under_way->signature + " is " +
                                         std::string{state} + ": " + why);
    record_.under_way.reset();
    auto over = co_await ledger_.did_not_happen();
    co_return over;
}

awaitable<outcome> minting::finish() {
    std::string output{R"({"address":)"};
    output += json_string(order_->mint.text());
    output += R"(,"token_account":)" + json_string(order_->token.text());
    output += R"(,"recipient":)" + json_string(order_->recipient.text());
    output += R"(,"uri":)" + json_string(order_->content.uri);
    output += R"(,"signature":)";
    output += record_.under_way ? json_string(record_.under_way->signature) : "null";
    output += '}';
    co_await ledger_.happened(*who_, output);
    co_return minted(*who_, payload_, std::move(output));
}

outcome minting::too_poor(const std::string& why) {
    context_.log(log_level::error,
                 "the wallet " + order_->payer.text() + " cannot pay for a mint: refill it");
    context_.provider_throttled(with_.low_balance_wait);
    return snooze(with_.low_balance_wait, why);
}

outcome minting::outcome_of(const rpc_fault& fault) {
    using type = rpc_fault::type;
    node_failed_ = fault.what != type::stopped;
    if (fault.what == type::refused) {
        // The endpoint does not let us in: no job gets further, and none is to blame.
        context_.log(log_level::error, fault.text + ": check the endpoint's settings");
        context_.provider_throttled(with_.low_balance_wait);
    }
    if (ledger_.open()) {
        return unknown(fault.text);
    }
    const bool stopped = fault.what == type::stopped;
    if (stopped && view_.stop_reason() != stop_reason::none && !record_.under_way) {
        return stopped_outcome(view_.stop_reason());
    }
    // Whoever came to find out, or to go on with what is under way, comes again: giving up would
    // leave it in doubt for ever.
    if (view_.job.reconcile || record_.under_way) {
        return snooze(fault.wait.value_or(with_.look_again), fault.text);
    }
    switch (fault.what) {
        case type::throttled:
        case type::behind:
            return snooze(fault.wait.value_or(with_.poll_interval), fault.text);
        case type::refused:
            return snooze(with_.low_balance_wait, fault.text);
        case type::none:
        case type::unreachable:
        case type::rejected:
        case type::stopped:
            break;
    }
    return retry(fault.text);
}

}  // namespace libqueue::processors::mint
