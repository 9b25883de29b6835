#include <cstring>

#include "cli/util/commands.h"
#include "meph2/image/stage.h"

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], meph2::image::stage_option) == 0) {  // NOLINT
    return meph2::image::stage_main(std::atoi(argv[2]));                     // NOLINT
  }
  return cli::run_program(
      argc, argv,
      {"meph2-util",
       "Manages signed simplestreams of MAAS images",
       "meph2-util insert build-output.d daily-stream.d --no-sign",
       {},
       {{"insert", "Add new versions from another stream, with their files",
         "meph2-util insert build-output.d daily-stream.d --no-sign\n"
         "meph2-util insert --keyring keyring.gpg "
         "https://images.example.com/daily daily-stream.d arch=amd64",
         cli::declare_insert},
        {"import", "The same as the program meph2-import",
         "meph2-util import bootloaders.yaml bootloaders-stream.d", cli::declare_import},
        {"promote", "Copy a version of a daily stream into a release stream",
         "meph2-util promote daily-stream.d release-stream.d 20260101\n"
         "meph2-util promote --soak 48h --label stable daily-stream.d "
         "release-stream.d 20260101 release=noble",
         cli::declare_promote},
        {"merge", "Unite another local stream with this one",
         "meph2-util merge custom-images.d release-stream.d", cli::declare_merge},
        {"diff", "Show what differs between two streams, as a patch",
         "meph2-util diff daily-stream.d release-stream.d\n"
         "meph2-util diff --promote --new-versions-only -o changes.yaml "
         "candidate-stream.d stable-stream.d",
         cli::declare_diff},
        {"patch", "Make of a stream what a patch says",
         "meph2-util patch -i changes.yaml candidate-stream.d stable-stream.d\n"
         "meph2-util patch --dry-run stable-stream.d < changes.yaml",
         cli::declare_patch},
        {"sign", "Regenerate the index and sign what is not signed",
         "meph2-util sign daily-stream.d", cli::declare_sign},
        {"remove-version", "Take a version out of the metadata",
         "meph2-util remove-version daily-stream.d 20260101 release=noble",
         cli::declare_remove_version},
        {"copy-version", "Give a version a second name, with its own files",
         "meph2-util copy-version daily-stream.d 20260101 20260101.1", cli::declare_copy_version},
        {"clean-md", "Take old versions out of the metadata",
         "meph2-util clean-md --max 3 daily-stream.d\n"
         "meph2-util clean-md --free 200G --dry-run daily-stream.d release=noble",
         cli::declare_clean_md},
        {"hold", "Keep a version, and its files, whatever the retention says",
         "meph2-util hold daily-stream.d "
         "com.ubuntu.maas.daily:v3:boot:24.04:amd64:ga-24.04@20260101 --until 90d "
         "--reason 'customer A runs it'\n"
         "meph2-util hold daily-stream.d",
         cli::declare_hold},
        {"unhold", "Take a hold back",
         "meph2-util unhold daily-stream.d "
         "com.ubuntu.maas.daily:v3:boot:24.04:amd64:ga-24.04@20260101",
         cli::declare_unhold},
        {"find-orphans", "Record the data files that no stream names",
         "meph2-util find-orphans orphans.json daily-stream.d\n"
         "meph2-util find-orphans orphans.json data daily/streams/v1/*.json "
         "releases/streams/v1/*.json",
         cli::declare_find_orphans},
        {"reap-orphans", "Remove the recorded files that still no stream names",
         "meph2-util reap-orphans --older 3d orphans.json data", cli::declare_reap_orphans},
        {"du", "Which data takes how much",
         "meph2-util du --by release daily-stream.d\n"
         "meph2-util du --by orphan --json daily-stream.d",
         cli::declare_du},
        {"status", "Whether the stream is healthy, for people and for monitoring",
         "meph2-util status daily-stream.d --max-age 36h", cli::declare_status},
        {"keys",
         "What the stream is signed with; the keyring for readers; another key",
         "meph2-util keys status daily-stream.d\n"
         "meph2-util keys export keyring.gpg\n"
         "meph2-util keys rotate --announce 0123456789ABCDEF0123456789ABCDEF01234567 "
         "daily-stream.d",
         {},
         cli::keys_commands()},
        {"verify", "Whether metadata, signatures and data files are what they should be; repair",
         "meph2-util verify daily-stream.d --data\n"
         "meph2-util verify daily-stream.d --budget 200G --repair-from https://mirror.example.org/",
         cli::declare_verify},
        {"lint", "What consumers of the stream would trip over",
         "meph2-util lint --profile maas --profile maas-classic daily-stream.d\n"
         "meph2-util lint --explain maas-kflavor",
         cli::declare_lint},
        {"history", "Who published what, when", "meph2-util history daily-stream.d --limit 10",
         cli::declare_history},
        {"rollback", "Make an earlier generation live again",
         "meph2-util rollback daily-stream.d\n"
         "meph2-util rollback daily-stream.d 12 --product "
         "com.ubuntu.maas.daily:v3:boot:24.04:amd64:ga-24.04",
         cli::declare_rollback}}});
}
