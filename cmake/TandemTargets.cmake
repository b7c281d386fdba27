# One library per folder of src/, with the tests and fuzzers that lie beside its sources.

add_library(tandem_options INTERFACE)
target_include_directories(tandem_options INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
# -fopenmp-simd: honours `omp simd` on loops whose sums may be reordered; no OpenMP runtime.
target_compile_options(tandem_options INTERFACE -Wall -Wextra -Wconversion -fopenmp-simd)
if(TANDEM_WERROR)
  target_compile_options(tandem_options INTERFACE -Werror)
endif()
# The shared library shows what the public headers export.
target_compile_options(tandem_options INTERFACE -fvisibility=hidden -fvisibility-inlines-hidden)
# What nothing calls is left out of programs and of the shared library.
target_compile_options(tandem_options INTERFACE -ffunction-sections -fdata-sections)
target_link_options(tandem_options INTERFACE LINKER:--gc-sections)
# GCC 12 sees an overlap in every `"literal" + std::string` that it inlines (its bug 105651).
target_compile_options(tandem_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
# Clang's -Wconversion is also about signs, which GCC's is not in C++; libstdc++ 12 calls what it deprecates in
# std::stable_sort; and instrumentation keeps some of the `omp simd` loops from being vectorised.
target_compile_options(
  tandem_options
  INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion;-Wno-deprecated-declarations;-Wno-pass-failed>)
if(TANDEM_SANITIZE)
  target_compile_options(tandem_options INTERFACE -fsanitize=${TANDEM_SANITIZE} -fno-omit-frame-pointer)
  if(TANDEM_SANITIZE MATCHES "undefined")
    target_compile_options(tandem_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
  target_link_options(tandem_options INTERFACE -fsanitize=${TANDEM_SANITIZE})
endif()

# tandem_fuzzers(SOURCES file… LIBRARIES target…): builds a fuzzer of each file, where fuzzers are wanted.
function(tandem_fuzzers)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT TANDEM_FUZZERS)
    return()
  endif()
  foreach(source ${ARG_SOURCES})
    get_filename_component(fuzzer ${source} NAME_WE)
    add_executable(${fuzzer} ${source})
    target_link_libraries(${fuzzer} PRIVATE tandem_options ${ARG_LIBRARIES} tl::expected -fsanitize=fuzzer)
    target_compile_definitions(${fuzzer} PRIVATE TANDEM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  endforeach()
endfunction()

# tandem_folder(NAME SUBFOLDERS folder… USES folder… LIBRARIES target…): builds src/NAME, with those of its sub-folders,
# as tandem_NAME. *_test.cc become the program NAME_tests, each *_fuzz.cc a fuzzer of its own.
function(tandem_folder name)
  cmake_parse_arguments(ARG "" "" "SUBFOLDERS;USES;LIBRARIES" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND tandem_)
  list(TRANSFORM ARG_SUBFOLDERS APPEND /*.cc)
  file(GLOB sources CONFIGURE_DEPENDS *.cc ${ARG_SUBFOLDERS})
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|benchmark)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")

  if(NOT sources)
    return()
  endif()
  add_library(tandem_${name} STATIC ${sources})
  target_link_libraries(tandem_${name} PRIVATE tandem_options ${ARG_USES} tl::expected ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY TANDEM_FOLDERS tandem_${name})
  set_property(GLOBAL APPEND PROPERTY TANDEM_LIBRARIES ${ARG_LIBRARIES})

  if(TANDEM_TESTS AND tests)
    add_executable(${name}_tests ${tests})
    target_link_libraries(${name}_tests PRIVATE tandem_options tandem_${name} ${ARG_USES} tl::expected ${ARG_LIBRARIES}
                                                GTest::gtest_main)
    target_compile_definitions(${name}_tests PRIVATE TANDEM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_tests)
    set_tests_properties(${name} PROPERTIES LABELS beside_the_code)
  endif()
  tandem_fuzzers(SOURCES ${fuzzers} LIBRARIES tandem_${name} ${ARG_USES} ${ARG_LIBRARIES})
endfunction()
