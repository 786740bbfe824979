# cmake -D folder=DIR -D output=FILE.cpp -D scratch=DIR -P embed_assets.cmake: writes every file of
# the folder as byte strings, as it is and as gzip, with a digest for its ETag. Run at build time
# whenever index.html changes: it names all others, and their names carry a hash of their content.
cmake_minimum_required(VERSION 3.25)

set(content_types
    html "text/html\; charset=utf-8"
    js "text/javascript\; charset=utf-8"
    css "text/css\; charset=utf-8"
    svg "image/svg+xml")

function(bytes_of file result)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(..)" "\\\\x\\1" escaped "${hex}")
  set(${result} "\"${escaped}\"sv" PARENT_SCOPE)
endfunction()

file(GLOB files RELATIVE "${folder}" "${folder}/*")
list(SORT files)
set(rows)
foreach(name IN LISTS files)
  cmake_path(GET name EXTENSION LAST_ONLY extension)
  string(SUBSTRING "${extension}" 1 -1 extension)
  list(FIND content_types "${extension}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${folder}/${name}: expected html, js, css or svg")
  endif()
  math(EXPR at "${at} + 1")
  list(GET content_types ${at} type)
  file(SHA256 "${folder}/${name}" digest)
  string(SUBSTRING "${digest}" 0 20 digest)
  bytes_of("${folder}/${name}" plain)
  # -n: no name and no time, so that the same file gives the same bytes.
  execute_process(COMMAND gzip -9 -n -c "${folder}/${name}" OUTPUT_FILE "${scratch}/packed"
                  COMMAND_ERROR_IS_FATAL ANY)
  bytes_of("${scratch}/packed" packed)
  string(APPEND rows "    asset{\"/${name}\", \"${type}\", \"${digest}\", ${plain}, ${packed}},\n")
endforeach()
list(LENGTH files count)

file(
  WRITE "${output}"
  "// Generated from workerd/dashboard/assets by embed_assets.cmake.
#include \"embedded_assets.hpp\"

#include <array>

namespace workerd::dashboard {

namespace {

using std::string_view_literals::operator\"\"sv;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \"-Woverlength-strings\"
const std::array<asset, ${count}> assets{
${rows}};
#pragma GCC diagnostic pop

}  // namespace

std::span<const asset> embedded_assets() {
    return assets;
}

}  // namespace workerd::dashboard
")
