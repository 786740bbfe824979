# All warnings are errors, in our own builds only.
add_compile_options(
  -Wall
  -Wextra
  -Wpedantic
  -Wconversion
  -Wshadow
  -Wnon-virtual-dtor
  -Wold-style-cast
  -Werror)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 reports -Wrestrict inside std::string's own operator+ at -O2 (gcc bug 105651).
  # At -O2 it also takes the coroutine frames of Asio (a size class of its own) for a mismatch.
  add_compile_options(-Wno-restrict
                      $<$<CONFIG:RelWithDebInfo>:-Wno-mismatched-new-delete>)
endif()
if(LIBQUEUE_SANITIZE)
  # Instrumented code defeats the flow analysis behind these; the plain presets keep them.
  add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread
                      -Wno-array-bounds
                      -Wno-mismatched-new-delete)
endif()
