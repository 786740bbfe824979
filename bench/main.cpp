#include "bench/measurements.hpp"

#include <boost/json/serialize.hpp>

#include <exception>
#include <iostream>
#include <map>
#include <string>

namespace {

using measurement = boost::json::object (*)(const bench::arguments&);

const std::map<std::string, measurement>& measurements() {
    static const std::map<std::string, measurement> all{
        {"preload", &bench::preload},         {"drain", &bench::drain},
        {"bare_drain", &bench::bare_drain},   {"sustained", &bench::sustained},
        {"enqueue", &bench::enqueue},         {"pickup", &bench::pickup},
        {"bare_pickup", &bench::bare_pickup},
    };
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string name = argc > 1 ? argv[1] : "";
        const auto found = measurements().find(name);
        if (found == measurements().end()) {
            std::cerr << "libqueue_bench: expected a measurement, got '" << name
                      << "'; hint: run bench/run\n";
            return 2;
        }
        std::cout << boost::json::serialize(found->second(bench::arguments{argc - 2, argv + 2}))
                  << '\n';
        return 0;
    } catch (const std::exception& why) {
        std::cerr << "libqueue_bench: " << why.what() << '\n';
        return 1;
    }
}
