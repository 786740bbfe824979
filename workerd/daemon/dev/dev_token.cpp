#include "dev/dev_token.hpp"

#include <libqueue/access.hpp>
#include <libqueue/migrate.hpp>

#include <chrono>

namespace workerd {

namespace {

constexpr std::chrono::hours lifetime{24 * 7};

}  // namespace

std::string make_dev_token(const std::string& dsn, const std::string& schema) {
    try {
        libqueue::migrate_options target;
        target.dsn = dsn;
        target.schema = schema;
        if (!libqueue::migrate(target))
            return {};
        libqueue::client_options options{dsn};
        options.schema = schema;
        libqueue::client client{std::move(options)};
        libqueue::token_options wanted;
        wanted.role = libqueue::role::admin;
        wanted.name = "dev";
        wanted.ttl = lifetime;
        const auto made = libqueue::access_control{client}.create_token(wanted);
        return made ? made->text : std::string{};
    } catch (const libqueue::failure&) {
        return {};
    }
}

}  // namespace workerd
