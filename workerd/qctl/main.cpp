#include "interrupt.hpp"
#include "run.hpp"

int main(int argc, char** argv) {
    qctl::install_interrupt_handler();
    return static_cast<int>(qctl::run({argv + (argc > 0 ? 1 : 0), argv + argc}));
}
