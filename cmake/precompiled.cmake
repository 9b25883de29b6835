# meph2_precompiled(TARGET HEADER...): TARGET's sources start from these headers, parsed once, where the preset asks for it.
# No source may rely on it: the dev and tidy presets build without.
option(MEPH2_PCH "Precompile the headers that cost most" OFF)

function(meph2_precompiled target)
  if(MEPH2_PCH)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()
