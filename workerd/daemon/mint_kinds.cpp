#include "processor_kinds.hpp"
#include "processors/mint/processor.hpp"

#include <stdexcept>
#include <utility>

namespace workerd {

namespace {

namespace mint = libqueue::processors::mint;

std::shared_ptr<const mint::signing_key> wallet_of(const mint_config& given) {
    if (given.key_file.empty())
        return nullptr;
    try {
        auto key = mint::signing_key::read(given.key_file);
        if (!key)
            throw std::invalid_argument{key.error().message + " (" + key.error().hint + ")"};
        return *key;
    } catch (const std::runtime_error& unlocked) {
        throw std::invalid_argument{unlocked.what()};
    }
}

}  // namespace

std::vector<libqueue::registration> mint_kinds(const config& value) {
    if (!value.processors.mint)
        return {};
    const mint_config& given = *value.processors.mint;
    mint::options options;
    options.endpoints = given.endpoints;
    options.key = wallet_of(given);
    options.service_url = given.service_url;
    if (!given.service_key.empty())
        options.signer = std::make_shared<const libqueue::processors::internal_signer>(
            given.service_name, libqueue::processors::secret{given.service_key});
    options.commitment =
        given.commitment == "finalized" ? mint::commitment::finalized : mint::commitment::confirmed;
    options.metadata_url = given.metadata_url;
    options.metadata_uri = given.metadata_uri;
    options.least_balance = static_cast<std::uint64_t>(given.least_balance);
    options.warn_balance = static_cast<std::uint64_t>(given.warn_balance);
    options.compute_price = static_cast<std::uint64_t>(given.compute_price);
    options.rpc_timeout = given.rpc_timeout;
    options.poll_interval = given.poll_interval;
    options.confirm_wait = given.confirm_wait;
    options.ca_file = given.ca_file;
    options.allow_http = given.allow_http;
    return mint::make_registrations(std::move(options));
}

void add_mint_options(const config& value, libqueue::worker_options& into) {
    if (!value.processors.mint)
        return;
    add_migrations(mint::migrations(), into);
    add_limit(mint::default_limit(), into);
}

}  // namespace workerd
