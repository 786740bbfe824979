# Debian 12 packages; scripts/install-packages installs them. Plain libboost-dev is 1.74, whose
# Asio lacks what the engine uses, hence the version here and libboost1.81-dev there.
find_package(Boost 1.81 REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto SSL)
find_package(PkgConfig REQUIRED)
# CMake's own FindPostgreSQL asks for the server headers; libpq's pkg-config file does not.
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq>=15)

if(LIBQUEUE_BUILD_WORKERD)
  find_package(CURL REQUIRED)
  find_package(yaml-cpp REQUIRED)
  find_package(fmt REQUIRED)
  find_package(spdlog REQUIRED)
  find_package(cxxopts REQUIRED)
  find_package(prometheus-cpp REQUIRED COMPONENTS core)
  find_package(date REQUIRED) # Howard Hinnant's: gcc 12 has no time zones
  pkg_check_modules(libjwt REQUIRED IMPORTED_TARGET libjwt)
  pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)
endif()
if(LIBQUEUE_BUILD_TESTS)
  find_package(doctest REQUIRED)
endif()
