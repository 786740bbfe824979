#include "config/option_sections.hpp"

#include <libqueue/limit_options.hpp>

#include <array>

namespace workerd {

namespace {

constexpr std::array rows{
    option{.path = "http.enabled",
           .type = option_type::boolean,
           .standard = "true",
           .doc = "Serve the HTTP API under `/api/v1`, the dashboard, and `/health/live`, "
                  "`/health/ready` and `/health/startup`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.enabled = v.flag;
               }},
    option{.path = "http.listen",
           .type = option_type::address,
           .standard = "127.0.0.1:8080",
           .doc = "Address and port; port 0 takes a free one and logs it. Anything but loopback "
                  "needs `http.tls` or `http.insecure`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.listen = v.text;
               }},
    option{.path = "http.insecure",
           .type = option_type::boolean,
           .standard = "false",
           .doc = "Listen in clear on other addresses than loopback, because something in front of "
                  "it speaks TLS.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.insecure = v.flag;
               }},
    option{.path = "http.tls.certificate_file",
           .type = option_type::file,
           .sample = "/etc/workerd/tls.crt",
           .doc = "Certificate chain in PEM. With it only TLS 1.2 and newer is spoken. SIGHUP "
                  "reads certificate and key again.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.tls.certificate_file = v.text;
               }},
    option{.path = "http.tls.key_file",
           .type = option_type::file,
           .sample = "/etc/workerd/tls.key",
           .doc = "Private key of the certificate in PEM, readable by the owner alone.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.tls.key_file = v.text;
               }},
    option{.path = "http.cors_origins",
           .type = option_type::text_list,
           .min = 1,
           .max = 256,
           .sample = "[https://ops.example.com]",
           .doc = "Origins whose pages may call the API from a browser, each as "
                  "`https://host[:port]`. Pages of workerd itself need none.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.cors_origins = v.list;
               }},
    option{.path = "http.connections",
           .type = option_type::integer,
           .standard = "256",
           .min = 8,
           .max = 10000,
           .doc = "Open connections at most. When they are taken, the one that has been longest "
                  "without a whole request goes.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.connections = static_cast<int>(v.number);
               }},
    option{.path = "http.threads",
           .type = option_type::integer,
           .standard = "4",
           .min = 1,
           .max = 64,
           .doc = "Threads, and database connections, for requests of the API.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.threads = static_cast<int>(v.number);
               }},
    option{.path = "http.rate_limits.user",
           .type = option_type::rate,
           .standard = "1200/min",
           .doc = "Requests of one user (a JWT's subject) to this process, with a tenth of a "
                  "minute's worth at once.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.rate_limits.user = libqueue::parse_rate(v.text).value();
               }},
    option{.path = "http.rate_limits.token",
           .type = option_type::rate,
           .standard = "6000/min",
           .doc = "Requests with one API token.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.rate_limits.token = libqueue::parse_rate(v.text).value();
               }},
    option{.path = "http.rate_limits.address",
           .type = option_type::rate,
           .standard = "600/min",
           .doc = "Requests from one address that carry no good token; bad tokens count ten times.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.rate_limits.address = libqueue::parse_rate(v.text).value();
               }},
    option{.path = "http.auth.operator_rights",
           .type = option_type::text_list,
           .min = 1,
           .max = 64,
           .reloadable = true,
           .sample = "[jobs.retry, queues.pause]",
           .doc = "Rights operators have beyond their own, by the names of docs/auth.md.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.operator_rights = v.list;
               }},
    option{.path = "http.auth.jwt.issuer",
           .type = option_type::text,
           .min = 1,
           .max = 512,
           .reloadable = true,
           .sample = "https://id.example.com",
           .doc = "What `iss` must be. Needed with `keys`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.issuer = v.text;
               }},
    option{.path = "http.auth.jwt.audience",
           .type = option_type::text,
           .min = 1,
           .max = 512,
           .reloadable = true,
           .sample = "libqueue",
           .doc = "What `aud` must be or hold. Needed with `keys`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.audience = v.text;
               }},
    option{.path = "http.auth.jwt.leeway",
           .type = option_type::duration,
           .standard = "10s",
           .min = 0,
           .max = 30000,
           .reloadable = true,
           .doc = "How far clocks may differ.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.leeway = std::chrono::milliseconds{v.number};
               }},
    option{.path = "http.auth.jwt.most_life",
           .type = option_type::duration,
           .standard = "1d",
           .min = 60000,
           .max = 2592000000,
           .reloadable = true,
           .doc = "The longest time between `iat` and `exp` that is accepted.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.most_life = std::chrono::milliseconds{v.number};
               }},
    option{.path = "http.auth.jwt.role_claim",
           .type = option_type::text,
           .standard = "role",
           .min = 1,
           .max = 64,
           .reloadable = true,
           .doc = "The claim, a text or a list of texts, that holds the roles of the platform.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.role_claim = v.text;
               }},
    option{.path = "http.auth.jwt.tenant_claim",
           .type = option_type::text,
           .standard = "tenant_id",
           .min = 1,
           .max = 64,
           .reloadable = true,
           .doc = "The claim that holds the tenant's UUID.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.tenant_claim = v.text;
               }},
    option{.path = "http.auth.jwt.tenant_required",
           .type = option_type::boolean,
           .standard = "true",
           .reloadable = true,
           .doc = "Refuse a JWT without tenant. Such a one sees all tenants.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.tenant_required = v.flag;
               }},
    option{.path = "http.auth.jwt.admin_roles",
           .type = option_type::text_list,
           .min = 1,
           .max = 128,
           .reloadable = true,
           .sample = "[admin]",
           .doc = "Roles of the platform that are admins here. Unset: `admin`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.admin_roles = v.list;
               }},
    option{.path = "http.auth.jwt.operator_roles",
           .type = option_type::text_list,
           .min = 1,
           .max = 128,
           .reloadable = true,
           .sample = "[operator]",
           .doc = "Roles of the platform that are operators here. Unset: `operator`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.operator_roles = v.list;
               }},
    option{.path = "http.auth.jwt.viewer_roles",
           .type = option_type::text_list,
           .min = 1,
           .max = 128,
           .reloadable = true,
           .sample = "[viewer]",
           .doc = "Roles of the platform that are viewers here. Unset: `viewer`.",
           .bind =
               [](config& c, const std::string&, const option_value& v) {
                   c.http.auth.jwt.viewer_roles = v.list;
               }},
    option{.path = "http.auth.jwt.keys.*.algorithm",
           .type = option_type::choice,
           .choices = "HS256|HS384|HS512|RS256|RS384|RS512|ES256|ES384|ES512",
           .required = true,
           .reloadable = true,
           .sample = "RS256",
           .doc = "The one algorithm this key is for; a token that names another is refused. The "
                  "name of the key is what tokens call it in `kid`.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.http.auth.jwt.keys[name].algorithm = v.text;
               }},
    option{.path = "http.auth.jwt.keys.*.secret_file",
           .type = option_type::secret_file,
           .reloadable = true,
           .sample = "jwt-secret",
           .doc = "For `HS...`: the shared secret, 32 bytes or more.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.http.auth.jwt.keys[name].secret_file = v.text;
               }},
    option{.path = "http.auth.jwt.keys.*.public_key_file",
           .type = option_type::file,
           .reloadable = true,
           .sample = "/etc/workerd/jwt.pem",
           .doc = "For `RS...` and `ES...`: the public key in PEM; RSA of 2048 bits or more.",
           .bind =
               [](config& c, const std::string& name, const option_value& v) {
                   c.http.auth.jwt.keys[name].public_key_file = v.text;
               }},
};

}  // namespace

std::span<const option> http_option_rows() {
    return rows;
}

}  // namespace workerd
