#pragma once

// What nearly every source of ours includes. A convenience of the build: each file still
// includes what it uses, and the tidy preset builds without this.

#include <boost/asio.hpp>
#include <boost/json.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
