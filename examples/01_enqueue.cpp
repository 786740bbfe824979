// Enqueues a typed job in a transaction of its own. DATABASE_URL says where; without it, PG*.
// [enqueue]
#include <libqueue/libqueue.hpp>

#include <cstdlib>
#include <iostream>

struct greeting {
    static constexpr libqueue::kind_name kind{"example.greet"};
    std::string name;
    int times = 1;
};

int main() {
    const char* dsn = std::getenv("DATABASE_URL");
    libqueue::client client{libqueue::client_options{dsn != nullptr ? dsn : ""}};
    auto job = libqueue::to_job(greeting{"world", 2}).unique_key("greet:world").attempts(5);
    std::cout << client.enqueue(job).value().id << '\n';
}
// [enqueue]
