#include "launch.hpp"

int main(int argc, char** argv) {
    return workerd::launch(argc, argv);
}
