/* completion.c - `completion bash|zsh|fish`: the table as a completion script. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "options/internal.h"

/* A string between single quotes; the characters of `escaped` get a backslash first (zsh's
 * descriptions). */
static void put_quoted(const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (strchr(escaped, *text))
            putchar('\\');
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
}

static bool has(const struct options_setting *s, int command)
{
    return (s->commands & OPTIONS_BIT(command)) && !(s->traits & OPTIONS_SECRET);
}

static bool takes_value(const struct options_setting *s)
{
    return s->type != OPTIONS_SWITCH && !(s->traits & OPTIONS_BARE) &&
           !(s->traits & OPTIONS_SECRET);
}

/* "text|json" as "text json". */
static void put_choices(const char *choices)
{
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

static void put_command_names(void)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("%s%s", i ? " " : "", options_commands[i].name);
}

/* --- bash --- */

/* One case arm for what follows a flag that takes a value. */
static void bash_value(const struct options_setting *s)
{
    if (!takes_value(s))
        return;
    printf("    --%s", s->flag);
    if (s->letter)
        printf("|-%c", s->letter);
    if (s->type == OPTIONS_FILE) {
        puts(") compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;");
    } else if (s->type == OPTIONS_CHOICE || s->type == OPTIONS_CRASH) {
        fputs(") mapfile -t COMPREPLY < <(compgen -W '", stdout);
        put_choices(s->argument);
        puts("' -- \"$cur\"); return ;;");
    } else {
        puts(") return ;;");
    }
}

static void bash_flags(int command)
{
    printf("    %s) flags='", options_commands[command].name);
    for (size_t i = 0; i < options_setting_count; i++)
        if (has(&options_settings[i], command))
            printf("--%s ", options_settings[i].flag);
    puts("' ;;");
}

static void bash(void)
{
    fputs("# bash completion for resque-lua; made by `resque-lua completion bash`\n"
          "_resque_lua() {\n"
          "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' flags "
          "word\n"
          "  COMPREPLY=()\n"
          "  [[ ${COMP_WORDS[0]##*/} == resque-enqueue ]] && command=enqueue\n"
          "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
          "    [[ -z $command && ' ",
          stdout);
    put_command_names();
    puts(" ' == *\" $word \"* ]] && command=$word\n"
         "  done\n"
         "  case $prev in");
    for (size_t i = 0; i < options_setting_count; i++)
        bash_value(&options_settings[i]);
    puts("  esac\n"
         "  case ${command:-work} in");
    for (int i = 0; i < COMMAND_COUNT; i++)
        bash_flags(i);
    fputs("  esac\n"
          "  if [[ $cur == -* ]]; then\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$cur\")\n"
          "  elif [[ -z $command || $command == help ]]; then\n"
          "    mapfile -t COMPREPLY < <(compgen -W '",
          stdout);
    put_command_names();
    puts("' -- \"$cur\")\n"
         "  elif [[ $command == completion ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- \"$cur\")\n"
         "  elif [[ $command == workers ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W 'list kill' -- \"$cur\")\n"
         "  else\n"
         "    compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
         "  fi\n"
         "}\n"
         "complete -F _resque_lua resque-lua resque-enqueue");
}

/* --- zsh --- */

static void zsh_flag(const struct options_setting *s)
{
    if (s->letter)
        printf("        '(-%c --%s)'{-%c,--%s}'[", s->letter, s->flag, s->letter, s->flag);
    else
        printf("        '--%s%s[", s->flag, s->traits & OPTIONS_BARE ? "=-" : "");
    put_quoted(s->help, "[]\\");
    putchar(']');
    if (s->argument) {
        fputs(s->traits & OPTIONS_BARE ? "::" : ":", stdout);
        put_quoted(s->argument, ":");
        fputs(s->type == OPTIONS_FILE ? ":_files" : ":", stdout);
        if (s->type == OPTIONS_CHOICE || s->type == OPTIONS_CRASH) {
            putchar('(');
            put_choices(s->argument);
            putchar(')');
        }
    }
    puts("' \\");
}

static void zsh_flags(int command)
{
    printf("    %s)\n      _arguments -s \\\n", options_commands[command].name);
    for (size_t i = 0; i < options_setting_count; i++)
        if (has(&options_settings[i], command))
            zsh_flag(&options_settings[i]);
    if (command == COMMAND_WORK)
        puts("        '*:command:_resque_lua_commands' ;;");
    else if (command == COMMAND_COMPLETION)
        puts("        '*:shell:(bash zsh fish)' ;;");
    else if (command == COMMAND_WORKERS)
        puts("        '*:verb:(list kill)' ;;");
    else if (command == COMMAND_HELP)
        puts("        '*:command:($names)' ;;");
    else
        puts("        '*:argument:_files' ;;");
}

static void zsh(void)
{
    fputs("#compdef resque-lua resque-enqueue\n"
          "# zsh completion for resque-lua; made by `resque-lua completion zsh`\n"
          "_resque_lua_commands() {\n"
          "  _describe command commands # of _resque_lua, which calls it\n"
          "}\n"
          "_resque_lua() {\n"
          "  local command='' word\n"
          "  local -a names commands\n"
          "  names=(",
          stdout);
    put_command_names();
    puts(")\n"
         "  commands=(");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("    '%s:", options_commands[i].name);
        put_quoted(options_commands[i].summary, ":");
        puts("'");
    }
    puts("  )\n"
         "  [[ ${words[1]:t} == resque-enqueue ]] && command=enqueue\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    [[ -z $command && -n ${names[(r)$word]} ]] && command=$word\n"
         "  done\n"
         "  case ${command:-work} in");
    for (int i = 0; i < COMMAND_COUNT; i++)
        zsh_flags(i);
    puts("  esac\n"
         "}\n"
         "# the first time as the file _resque-lua of fpath, else read by `source`\n"
         "if [[ ${funcstack[1]} == _resque-lua ]]; then\n"
         "  _resque_lua \"$@\"\n"
         "else\n"
         "  compdef _resque_lua resque-lua resque-enqueue\n"
         "fi");
}

/* --- fish --- */

static void fish_flag(const char *program, const char *when, const struct options_setting *s)
{
    printf("complete -c %s %s -l %s", program, when, s->flag);
    if (s->letter)
        printf(" -s %c", s->letter);
    if (takes_value(s))
        fputs(s->type == OPTIONS_FILE ? " -r -F" : " -x", stdout);
    if (s->type == OPTIONS_CHOICE || s->type == OPTIONS_CRASH) {
        fputs(" -a '", stdout);
        put_choices(s->argument);
        putchar('\'');
    }
    fputs(" -d '", stdout);
    put_quoted(s->help, "");
    puts("'");
}

static void fish_flags(int command)
{
    char when[160];
    snprintf(when, sizeof when, "-n '__fish_seen_subcommand_from %s'",
             options_commands[command].name);
    if (command == COMMAND_WORK)
        snprintf(when, sizeof when, "-n '__resque_lua_works'");
    for (size_t i = 0; i < options_setting_count; i++)
        if (has(&options_settings[i], command))
            fish_flag("resque-lua", when, &options_settings[i]);
}

static void fish(void)
{
    fputs("# fish completion for resque-lua; made by `resque-lua completion fish`\n"
          "function __resque_lua_works\n"
          "  not __fish_seen_subcommand_from ",
          stdout);
    for (int i = COMMAND_WORK + 1; i < COMMAND_COUNT; i++)
        printf("%s ", options_commands[i].name);
    puts("\nend\n"
         "function __resque_lua_no_command\n"
         "  __resque_lua_works; and not __fish_seen_subcommand_from work\n"
         "end");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("complete -c resque-lua -f -n __resque_lua_no_command -a %s -d '",
               options_commands[i].name);
        put_quoted(options_commands[i].summary, "");
        puts("'");
        fish_flags(i);
    }
    puts(
        "complete -c resque-lua -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
        "complete -c resque-lua -f -n '__fish_seen_subcommand_from workers' -a 'list kill'");
    for (size_t i = 0; i < options_setting_count; i++)
        if (has(&options_settings[i], COMMAND_ENQUEUE))
            fish_flag("resque-enqueue", "", &options_settings[i]);
}

int options_completion(const struct options *options, char *err, size_t err_size)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    const char *name = options->arguments[0];
    char shown[OPTIONS_SHOWN] = "";
    for (size_t i = 0; name && i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(shells[i].name, name) == 0) {
            shells[i].print();
            return 0;
        }
    if (name)
        text_printable(shown, sizeof shown, name, strlen(name));
    snprintf(err, err_size, "%s%s%s\nhint: resque-lua completion bash|zsh|fish",
             name ? "there is no completion for '" : "`completion` needs the name of a shell",
             shown, name ? "'" : "");
    return -1;
}
