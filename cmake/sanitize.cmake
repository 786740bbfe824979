if(LIBQUEUE_SANITIZE STREQUAL "")
  return()
elseif(LIBQUEUE_SANITIZE STREQUAL "address")
  set(libqueue_sanitizers address,undefined)
elseif(LIBQUEUE_SANITIZE STREQUAL "thread")
  set(libqueue_sanitizers thread)
else()
  message(
    FATAL_ERROR
      "LIBQUEUE_SANITIZE: expected address, thread or nothing; got \"${LIBQUEUE_SANITIZE}\"")
endif()

add_compile_options(-fsanitize=${libqueue_sanitizers} -fno-sanitize-recover=all
                    -fno-omit-frame-pointer)
add_link_options(-fsanitize=${libqueue_sanitizers})
if(LIBQUEUE_SANITIZE STREQUAL "thread")
  # Asio orders threads with fences, which ThreadSanitizer cannot see; gcc warns at each one.
  add_compile_options(-Wno-tsan)
  add_compile_definitions(BOOST_ASIO_DISABLE_STD_FENCED_BLOCK)
endif()
