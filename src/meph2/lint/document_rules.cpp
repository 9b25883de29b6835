#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"

namespace meph2::rules {

using namespace profile;
namespace engine = sstream::lint::engine;

// The numbers are those of the table of what consumers demand (section 4 of the research behind
// this): they say which rows are covered.
sstream::lint::Rules documents() {
  return {
      // docs/format.md 6.1
      {engine::index_missing,
       "the index is streams/v1/index.json or index.sjson",
       {all},
       "MAAS computes wrong URLs of files from any other name; LXD and Incus read index.json only; "
       "sstream-mirror finds nothing.",
       "`meph2-util sign DIR` regenerates the index from the products files that are there."},
      // docs/format.md 6.2
      {engine::json_syntax,
       "every document is JSON",
       {all},
       "No consumer reads any of the stream: MAAS says only that the image manifest could not be "
       "fetched, LXD fails to decode, the Python tools end with a traceback.",
       "Take the document from `meph2-util history` and `rollback`, or repair it at the place "
       "named and run `meph2-util sign DIR`."},
      // docs/format.md 6.2
      {engine::json_bom,
       "no document begins with a byte order mark",
       {all},
       "Python and Go refuse the document at its first byte.",
       "Save the file as UTF-8 without a byte order mark, then sign it again."},
      // docs/format.md 6.2
      {engine::json_number,
       "numbers are JSON numbers: no NaN, no Infinity, no more than 64 bits",
       {all},
       "Go refuses the whole document; Python reads it, so that the publisher never notices.",
       "Write the number that was meant, or leave the key out."},
      // docs/format.md 6.2
      {engine::json_duplicate_key,
       "no object has a key twice",
       {all},
       "Readers disagree about which of the two counts.",
       "Take one of the two away."},
      // docs/format.md 6.3
      {engine::json_ascii,
       "documents are pure ASCII, with \\u escapes",
       {maas | simplestreams, maas_classic | lxd | incus | juju},
       "Behind a server that says charset=iso-8859-1 MAAS 3.8 decodes the text otherwise than it "
       "was signed: BAD signature. U+2028 or U+0085 inside a string break the Python tools.",
       "Every command of this toolkit writes \\u escapes; `json.dumps` does so by default."},
      // docs/format.md 6.5
      {engine::armor_form,
       "a clear-signed document is in the one plain form: the header line first, one Hash: line",
       {maas | maas_classic | simplestreams, juju},
       "gpgv refuses it, or the reader cuts the text out at another place than the verifier: "
       "'No signature found!', or a JSON error for a file whose JSON is fine.",
       "Sign with `meph2-util sign DIR`, or with `gpg --clearsign` of the very file; leave nothing "
       "before and after the block."},
      // docs/format.md 6.6
      {engine::one_signer,
       "each document has one signer",
       {maas | maas_classic | simplestreams, juju},
       "gpgv fails when it does not know one of two signers, so every reader whose keyring has "
       "only the old key (or only the new one) loses the stream. Two signatures are no way to "
       "change a key.",
       "Sign with one key. To change it, first hand out a keyring with both keys, then switch."},
      // docs/format.md 6.6
      {engine::signature_bad,
       "every signature holds, by a key of the published keyring",
       {maas | maas_classic | juju | simplestreams},
       "MAAS refuses the boot source; the reason stands in its log only. Older MAAS stops the "
       "import of all sources.",
       "`meph2-util sign DIR` signs what is not signed by its key; see `meph2-util history` for "
       "who edited the document since."},
      // docs/format.md 6.6
      {engine::signature_missing,
       "where one document is signed all are, in both forms",
       {0, maas | maas_classic | juju | simplestreams},
       "A reader that begins at index.sjson needs every document signed.",
       "`meph2-util sign DIR` signs what is not signed."},
      // docs/format.md 6.7
      {engine::keyring_form,
       "the published keyring is binary",
       {maas | maas_classic | simplestreams},
       "gpgv reads no armored (or base64) keyring: NO_PUBKEY, as if the key were missing.",
       "`gpg --export KEY > keyring.gpg`, or `gpg --dearmor < keyring.asc > keyring.gpg`."},
      // docs/format.md 6.8
      {engine::keyring_armored,
       "there is an armored copy of the public key",
       {0, juju},
       "Juju is given the key as ASCII armor (image-metadata-url with its public key) and parses "
       "nothing else.",
       "`gpg --armor --export KEY > keyring.asc` beside the binary keyring."},
      // docs/format.md 6.8
      {engine::key_algorithm,
       "the signing key is RSA",
       {0, juju},
       "The OpenPGP library of older Juju releases knows no Ed25519: the key cannot be parsed.",
       "Make an RSA key for streams that Juju reads."},
      // docs/format.md 6.9
      {engine::signed_text_differs,
       "X.sjson says the same as X.json, but for the paths in an index",
       {0, all},
       "Consumers of the two forms see different streams.",
       "`meph2-util sign DIR` signs the plain documents as they are."},
  };
}

}  // namespace meph2::rules
