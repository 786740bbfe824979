#include "config/option_sections.hpp"

#include <array>

namespace workerd {

namespace {

mint_config& mint_of(config& c) {
    return c.processors.mint ? *c.processors.mint : c.processors.mint.emplace();
}

constexpr std::array rows{
    option{.path = "processors.mint.endpoints",
           .type = option_type::text_list,
           .sample = "[https://api.mainnet-beta.solana.com]",
           .doc = "JSON-RPC endpoints of one Solana cluster, one or two: the second is asked when "
                  "the first does not answer. The section `mint` registers the kinds `ticket.mint` "
                  "and `nft.mint`; it has either `endpoints` and `key_file` or the service.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).endpoints = v.list;
               }},
    option{.path = "processors.mint.key_file",
           .type = option_type::secret_file,
           .sample = "mint-wallet.json",
           .doc = "File or systemd credential with the key of the wallet that pays and mints: 64 "
                  "bytes as solana-keygen writes them, or in base58. Kept in locked memory.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).key_file = v.text;
               }},
    option{.path = "processors.mint.commitment",
           .type = option_type::choice,
           .standard = "confirmed",
           .choices = "confirmed|finalized",
           .doc =
               "How sure a mint must be before its job is completed. `finalized` takes some 13 s "
               "longer.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).commitment = v.text;
               }},
    option{.path = "processors.mint.metadata_url",
           .type = option_type::text,
           .min = 8,
           .max = 1024,
           .sample = "https://gateway.internal/metadata/",
           .doc = "Where metadata is PUT before the mint, as this and `<sha256>.json`. Unset: "
                  "every payload brings a `uri` of its own.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).metadata_url = v.text;
               }},
    option{.path = "processors.mint.metadata_uri",
           .type = option_type::text,
           .min = 8,
           .max = 128,
           .sample = "https://tickets.example.com/metadata/",
           .doc = "The same place as readers of the token find it. Unset: `metadata_url`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).metadata_uri = v.text;
               }},
    option{.path = "processors.mint.least_balance",
           .type = option_type::integer,
           .standard = "1000000",
           .min = 0,
           .max = 1'000'000'000'000'000,
           .doc = "Lamports the wallet must keep after a mint; with less nothing is sent and jobs "
                  "wait.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).least_balance = v.number;
               }},
    option{.path = "processors.mint.warn_balance",
           .type = option_type::integer,
           .standard = "10000000",
           .min = 0,
           .max = 1'000'000'000'000'000,
           .doc = "Lamports below which every mint logs a warning (0.01 SOL).",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).warn_balance = v.number;
               }},
    option{.path = "processors.mint.compute_price",
           .type = option_type::integer,
           .standard = "0",
           .min = 0,
           .max = 1'000'000'000,
           .doc = "Micro-lamports offered per compute unit, for a busy network; a mint asks for "
                  "200,000 units.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).compute_price = v.number;
               }},
    option{.path = "processors.mint.service_url",
           .type = option_type::text,
           .min = 8,
           .max = 1024,
           .sample = "https://mint.internal",
           .doc = "The internal minting service, which then mints instead of us.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).service_url = v.text;
               }},
    option{.path = "processors.mint.service_key_file",
           .type = option_type::secret_file,
           .sample = "mint-service-key",
           .doc = "File or systemd credential with the key that signs calls of that service, at "
                  "least 32 bytes.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).service_key_file = v.text;
               }},
    option{.path = "processors.mint.service_name",
           .type = option_type::name,
           .standard = "workerd",
           .min = 1,
           .max = 64,
           .doc = "Who we are to that service.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).service_name = v.text;
               }},
    option{.path = "processors.mint.rpc_timeout",
           .type = option_type::duration,
           .standard = "5s",
           .min = 100,
           .max = 60'000,
           .doc = "Of one request to a node, the gateway or the service.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).rpc_timeout = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.mint.poll_interval",
           .type = option_type::duration,
           .standard = "1s",
           .min = 10,
           .max = 60'000,
           .doc = "Between two looks at a transaction that is under way; every 2 s it is sent "
                  "again.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).poll_interval = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.mint.confirm_wait",
           .type = option_type::duration,
           .standard = "30s",
           .min = 1,
           .max = 600'000,
           .doc = "How long a run stays with a transaction that is under way before it gives its "
                  "slot back and a later run looks again. The kinds' timeout is 30 s more.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).confirm_wait = std::chrono::milliseconds{v.number};
               }},
    option{.path = "processors.mint.ca_file",
           .type = option_type::file,
           .sample = "/etc/ssl/certs/internal-ca.pem",
           .doc = "Certificates to trust instead of the system's.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).ca_file = v.text;
               }},
    option{.path = "processors.mint.allow_http",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Let endpoints, gateway and service be `http://` as well as `https://`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   mint_of(c).allow_http = v.flag;
               }},
};

}  // namespace

std::span<const option> mint_option_rows() {
    return rows;
}

}  // namespace workerd
