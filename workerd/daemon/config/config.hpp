#pragma once

#include "config/settings.hpp"

#include <libqueue/encryption.hpp>
#include <libqueue/limit_options.hpp>
#include <libqueue/pooling.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace workerd {

// What workerd runs with, after defaults, file, environment and flags have been laid over each
// other. Every member is described, with unit, range and default, by the option of the same name in
// options_*.cpp; nothing here has a default of its own.

struct database_config {
    std::string dsn;
    std::filesystem::path dsn_file;
    std::string listen_dsn;
    std::filesystem::path listen_dsn_file;
    bool listen = false;
    libqueue::pooling pooler{};
    std::string schema;
    std::chrono::milliseconds connect_timeout{};
    std::chrono::milliseconds statement_timeout{};
    int connections = 0;
    bool migrate = false;
    bool require_durability = false;
    std::string installation;
};

struct tenancy_config {
    bool enabled = false;
};

struct queue_config {
    int concurrency = 0;
    std::optional<std::chrono::milliseconds> retention;
    std::optional<std::chrono::milliseconds> dead_letter_retention;
    std::string limit;
};

struct limit_config {
    int burst = 0;
    double rate = 0;
    int concurrency = 0;
    std::string key;
    std::string parent;
    std::optional<libqueue::breaker_options> breaker;
};

/// Only what was set: the rest comes from the kind's own defaults (kind_defaults.hpp).
struct kind_config {
    std::optional<int> concurrency;
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<int> max_attempts;
    std::optional<std::string> queue;
    std::optional<int> priority;
    std::optional<std::string> retry_strategy;
    std::optional<std::chrono::milliseconds> retry_base;
    std::optional<std::chrono::milliseconds> retry_cap;
    std::optional<bool> retry_jitter;
    std::optional<int> crash_budget;
    std::optional<std::string> on_lost;
    std::optional<std::chrono::milliseconds> retention;
    std::optional<std::chrono::milliseconds> cancelled_retention;
    std::optional<std::chrono::milliseconds> dead_letter_retention;
    std::optional<std::string> archive;
    std::optional<std::string> limit;
    std::optional<bool> encrypted;
};

struct encryption_config {
    std::filesystem::path keys;
    bool per_tenant = false;
    /// Read from `keys`; shared with the worker, which uses it while a reload reads it anew.
    std::shared_ptr<libqueue::keyring> ring;
};

struct worker_config {
    std::string name;
    std::chrono::milliseconds heartbeat{};
    std::chrono::milliseconds lease{};
    std::chrono::milliseconds poll_interval{};
    std::chrono::milliseconds drain_timeout{};
    int threads = 0;
};

struct email_config {
    std::string host;
    int port = 0;
    std::string tls;
    std::string username;
    std::filesystem::path password_file;
    std::string password;
    std::string from;
    std::string helo_name;
    std::string on_unknown;
    std::filesystem::path ca_file;
    std::chrono::milliseconds timeout{};
    std::filesystem::path bearer_file;
    std::string unsubscribe_url;
    int per_minute = 0;
    int hourly_per_recipient = 0;
    bool stores = true;
};

struct sms_config {
    std::string account;
    std::filesystem::path token_file;
    std::string token;
    std::string user;
    std::string url;
    std::string from;
    std::string on_unknown;
    std::chrono::milliseconds settle{};
    std::chrono::milliseconds timeout{};
    int per_minute = 0;
    int hourly_per_recipient = 0;
    int most_segments = 0;
    bool stores = true;
    std::filesystem::path ca_file;
    bool allow_private = false;
    bool allow_http = false;
};

struct webhook_config {
    std::filesystem::path secret_file;
    std::string secret;
    std::filesystem::path previous_secret_file;
    std::string previous_secret;
    std::filesystem::path endpoint_key_file;
    std::string endpoint_key;
    std::filesystem::path previous_endpoint_key_file;
    std::string previous_endpoint_key;
    std::string source;
    std::chrono::milliseconds endpoint_cache{};
    std::chrono::milliseconds log_retention{};
    std::chrono::milliseconds timeout{};
    std::filesystem::path ca_file;
    bool allow_private = false;
    bool allow_http = false;
};

struct payment_config {
    std::string provider;
    std::filesystem::path key_file;
    std::string key;
    std::string base_url;
    std::string service;
    std::chrono::milliseconds timeout{};
    std::chrono::milliseconds action_timeout{};
    std::int64_t max_amount = 0;
    std::filesystem::path ca_file;
    bool allow_http = false;
};

struct mint_config {
    std::vector<std::string> endpoints;
    std::filesystem::path key_file;  ///< its content goes to locked memory and never into here
    std::string commitment;
    std::string metadata_url;
    std::string metadata_uri;
    std::int64_t least_balance = 0;
    std::int64_t warn_balance = 0;
    std::int64_t compute_price = 0;
    std::string service_url;
    std::filesystem::path service_key_file;
    std::string service_key;
    std::string service_name;
    std::chrono::milliseconds rpc_timeout{};
    std::chrono::milliseconds poll_interval{};
    std::chrono::milliseconds confirm_wait{};
    std::filesystem::path ca_file;
    bool allow_http = false;
};

struct analytics_config {
    std::filesystem::path customer_key_file;
    std::string customer_key;
    std::chrono::milliseconds max_late{};
    std::chrono::milliseconds max_ahead{};
    std::filesystem::path slack_url_file;
    std::string slack_url;
    bool slack_allow_private = false;
};

struct processors_config {
    bool debug = false;
    std::optional<email_config> email;
    std::optional<mint_config> mint;
    std::optional<payment_config> payment;
    std::optional<sms_config> sms;
    std::optional<webhook_config> webhook;
    std::optional<analytics_config> analytics;
};

struct http_tls_config {
    std::filesystem::path certificate_file;
    std::filesystem::path key_file;
};

/// Requests per second.
struct http_rate_config {
    double user = 0;
    double token = 0;
    double address = 0;
};

struct jwt_key_config {
    std::string algorithm;
    std::filesystem::path secret_file;
    std::string secret;
    std::filesystem::path public_key_file;
};

struct jwt_config {
    std::string issuer;
    std::string audience;
    std::chrono::milliseconds leeway{};
    std::chrono::milliseconds most_life{};
    std::string role_claim;
    std::string tenant_claim;
    bool tenant_required = true;
    std::vector<std::string> admin_roles{"admin"};
    std::vector<std::string> operator_roles{"operator"};
    std::vector<std::string> viewer_roles{"viewer"};
    std::map<std::string, jwt_key_config> keys;
};

/// A service that signs its requests.
struct service_config {
    std::filesystem::path key_file;
    std::string key;
    std::filesystem::path previous_key_file;
    std::string previous_key;
    std::string role;
    std::string tenant_id;  ///< empty: all tenants
};

struct http_auth_config {
    std::vector<std::string> operator_rights;
    jwt_config jwt;
    std::map<std::string, service_config> services;
};

struct http_config {
    bool enabled = false;
    std::string listen;
    bool insecure = false;
    http_tls_config tls;
    std::vector<std::string> cors_origins;
    int connections = 0;
    int threads = 0;
    http_rate_config rate_limits;
    http_auth_config auth;
};

struct metrics_config {
    bool enabled = false;
    std::string listen;  ///< empty: at http.listen
    std::chrono::milliseconds interval{};
    std::chrono::milliseconds canary{};
};

struct tracing_config {
    std::string endpoint;
    std::string parent;
    int queue_size = 0;
    std::filesystem::path ca_file;
};

struct alert_rule_config {
    std::string when;
    std::string queue;
    std::string limit;  ///< a number
    std::string severity;
    std::optional<std::chrono::milliseconds> cool_down;
    std::vector<std::string> channels;
};

struct alerts_config {
    bool enabled = false;
    std::map<std::string, alert_rule_config> rules;
    std::vector<std::string> critical;  ///< channels of the standard rules
    std::vector<std::string> warning;
    std::vector<std::string> resolved_channels;  ///< told that one is over
    std::chrono::milliseconds resolved_after{};
    std::vector<std::string> mail_to;
    std::vector<std::string> sms_to;
    std::vector<std::string> call_to;
    std::string webhook_url;
    std::filesystem::path webhook_secret_file;
    std::string webhook_secret;
    std::filesystem::path slack_url_file;
    std::string slack_url;
    std::filesystem::path pagerduty_key_file;
    std::string pagerduty_key;
    std::string pagerduty_url;
    bool allow_private = false;
};

struct log_config {
    std::string level;
    std::string format;
    bool jobs = false;
    std::vector<std::string> redact;
};

struct dashboard_config {
    bool enabled = false;
    std::string base_path;  ///< begins and ends with a slash
};

struct dev_config {
    std::filesystem::path directory;
};

struct config {
    database_config database;
    tenancy_config tenancy;
    std::map<std::string, queue_config> queues;
    std::map<std::string, limit_config> limits;
    std::map<std::string, kind_config> kinds;
    encryption_config encryption;
    worker_config worker;
    processors_config processors;
    http_config http;
    metrics_config metrics;
    tracing_config tracing;
    alerts_config alerts;
    log_config log;
    dashboard_config dashboard;
    dev_config dev;

    /// Every setting that is in force, by path, with where it came from: what a reload compares.
    settings_map settings;
};

}  // namespace workerd
