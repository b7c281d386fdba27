# What the kernels of each instruction set are compiled with.
set(avx2 -mavx2 -mfma -mf16c)
set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl)
set(avx512_vnni ${avx512} -mavx512vnni)
set(avx512_bf16 ${avx512_vnni} -mavx512bf16)
set(amx ${avx512_bf16} -mamx-tile -mamx-int8 -mamx-bf16)

# GCC 12 takes the deliberately undefined registers of its own AVX-512 header for a mistake of ours.
set(gcc_avx512 $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>)

# Clang 16 ends in an endless recursion of its pass over vectors where bf16 products are unrolled; 14 and 19 do not.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^16\\.")
  set(clang_16 -mllvm -disable-vector-combine)
endif()

# The unrolled tiles take minutes to compile when every addition is checked. Under AddressSanitizer they keep the checks
# of their loads and stores; the fuzzers, which are about what is read from outside, leave them alone.
if(TANDEM_FUZZERS)
  set(unchecked -fno-sanitize=all)
elseif(TANDEM_SANITIZE MATCHES "undefined")
  set(unchecked -fno-sanitize=undefined)
endif()

foreach(isa avx2 avx512 avx512_vnni avx512_bf16 amx)
  set_property(SOURCE x86/kernels_${isa}.cc PROPERTY COMPILE_OPTIONS ${${isa}} ${gcc_avx512} ${clang_16} ${unchecked})
endforeach()
