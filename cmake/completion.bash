# Completion for bash of all commands of meph2: each is asked for its own --help, so that nothing is listed here twice.
# Installed as share/bash-completion/completions/COMMAND; or: . cmake/completion.bash

# _meph2_options: the options of a --help; of "-a, --be[=x|y]" and "--ce FILE" the names.
_meph2_options() {
  sed -n 's/^ \{2,6\}\(-[^ ].*\)/\1/p' | sed 's/  .*//; s/\[.*//' | tr -s ', ' '\n' | grep '^--\|^-.$'
}

# _meph2_choices OPTION: what may follow it, where the --help says so (OPTION a|b|c, OPTION[=a|b|c]).
_meph2_choices() {
  sed -n "s/^ *\\(-.*, \\)\\{0,1\\}$1\\(\\[=\\| \\)\\([A-Za-z-]*|[A-Za-z|-]*\\).*/\\3/p" | tr '|' '\n' | grep '^[a-z]'
}

_meph2_subcommands() {
  sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

_meph2() {
  local program=$1 current=$2 previous=$3 help command=() word words
  COMPREPLY=()
  help=$("$program" --help 2>/dev/null </dev/null) || return
  words=$(_meph2_subcommands <<<"$help")
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $words && $word != -* ]]; then
      command+=("$word")
      help=$("$program" "${command[@]}" --help 2>/dev/null </dev/null) || return
      words=$(_meph2_subcommands <<<"$help")
    fi
  done
  # "--lint=o" comes as three words.
  [[ $current == '=' ]] && current=''
  [[ $previous == '=' || ${COMP_WORDS[COMP_CWORD]} == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 1]}
  [[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  if [[ $current == -* ]]; then
    words=$(_meph2_options <<<"$help")
  elif [[ $previous == -* ]] && word=$(_meph2_choices "$previous" <<<"$help") && [[ $word ]]; then
    words=$word
  fi
  # Nothing here: then names of files (-o default).
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o default -F _meph2 maas-cloudimg2eph2 meph2-build meph2-cloudimg-sync meph2-import meph2-util netboot-mirror \
  sstream-generate sstream-mirror sstream-query sstream-sync
