# The OpenSSF compiler hardening set, for the optimised builds that are deployed. Sanitized
# builds have their own, stricter checks, with which FORTIFY_SOURCE interferes.
if(LIBQUEUE_SANITIZE)
  return()
endif()

add_compile_definitions(
  _GLIBCXX_ASSERTIONS
  $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=3>)
# PIE for all, archives too: they end in executables, and one flag set lets every target share the
# precompiled header.
add_compile_options(
  -fPIE
  -fstack-protector-strong
  -fstack-clash-protection
  $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>)
add_link_options(
  -pie
  -Wl,-z,relro
  -Wl,-z,now
  -Wl,-z,noexecstack)
