package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelReferenceException;
import dev.nautil.registry.ModelReference.File;
import dev.nautil.registry.ModelReference.HuggingFace;
import dev.nautil.registry.ModelReference.Id;
import dev.nautil.registry.ModelReference.Registry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelReferenceTest {
  private static final String HEX = "0123456789abcdef".repeat(4);

  /** HEX stands for 64 digits. */
  private static ModelReference parse(String text) {
    return ModelReference.parse(text.replace("HEX", HEX));
  }

  private static <R extends ModelReference> void assertCanonical(
      Class<R> type, String text, String canonical) {
    ModelReference reference = assertInstanceOf(type, parse(text));
    assertEquals(canonical.replace("HEX", HEX), reference.toString());
    assertEquals(reference, ModelReference.parse(reference.toString()));
  }

  private static String refusal(String text) {
    return assertThrows(ModelReferenceException.class, () -> parse(text)).getMessage();
  }

  @ParameterizedTest
  @CsvSource({
    "ai/mistral-nemo, docker.io/ai/mistral-nemo:latest",
    "mistral-nemo, docker.io/ai/mistral-nemo:latest",
    "mistral-nemo:12B-Q4_K_M, docker.io/ai/mistral-nemo:12B-Q4_K_M",
    "docker.io/mistral-nemo, docker.io/ai/mistral-nemo:latest",
    "docker.io/ai/mistral-nemo:latest, docker.io/ai/mistral-nemo:latest",
    "index.docker.io/ai/mistral-nemo, docker.io/ai/mistral-nemo:latest",
    "Docker.IO/ai/mistral-nemo, docker.io/ai/mistral-nemo:latest",
    "me/a/b, docker.io/me/a/b:latest",
    "ai/nemo@sha256:HEX, docker.io/ai/nemo@sha256:HEX",
    "nemo:v1@sha256:HEX, docker.io/ai/nemo:v1@sha256:HEX",
    "host:5000/name:tag@sha256:HEX, host:5000/name:tag@sha256:HEX",
    "r.example/n@sha512:HEXHEX, r.example/n@sha512:HEXHEX",
    "localhost/nemo, localhost/nemo:latest",
    "LOCALHOST:05000/nemo:5000, localhost:5000/nemo:5000",
    "127.0.0.1:5000/a/b, 127.0.0.1:5000/a/b:latest",
    "[::1]:5000/nemo, '[::1]:5000/nemo:latest'",
    "[2001:DB8::1]/nemo:tag, '[2001:db8::1]/nemo:tag'",
    "xn--n3h.com/my__image:xn--n3h.com, xn--n3h.com/my__image:xn--n3h.com",
    "test.com:5000, docker.io/ai/test.com:5000",
    "test_com/foo, docker.io/test_com/foo:latest",
    "a---b, docker.io/ai/a---b:latest",
    "abc123, docker.io/ai/abc123:latest",
    "docker.io/HEX, docker.io/ai/HEX:latest",
    "0123456789ab:v1, docker.io/ai/0123456789ab:v1",
    "nemo:a.gguf@sha256:HEX, docker.io/ai/nemo:a.gguf@sha256:HEX",
  })
  void registries(String text, String canonical) {
    assertCanonical(Registry.class, text, canonical);
  }

  @Test
  void aDigestDecidesTheVersion() {
    Registry both = (Registry) parse("host:5000/a/b:tag@sha256:HEX");
    assertEquals(new Registry("host:5000", "a/b", "tag", "sha256:" + HEX), both);
    assertEquals("sha256:" + HEX, both.version());
    assertEquals("latest", ((Registry) parse("a/b")).version());
  }

  @ParameterizedTest
  @CsvSource({
    "hf.co/bartowski/Mistral-Nemo-GGUF, hf.co/bartowski/Mistral-Nemo-GGUF",
    "hf.co/bartowski/Mistral-Nemo-GGUF:latest, hf.co/bartowski/Mistral-Nemo-GGUF",
    "huggingface.co/o/r:Q8_0, hf.co/o/r:Q8_0",
    "HF.co/o/r:iq2_xxs, hf.co/o/r:IQ2_XXS",
    "hf.co/o/r_1.5:m.Q4_1.gguf, hf.co/o/r_1.5/m.Q4_1.gguf",
    "hf.co/o/r/m.Q4_1.gguf, hf.co/o/r/m.Q4_1.gguf",
    "hf.co/o/r/blob/main/Q8_0/m.gguf, hf.co/o/r/Q8_0/m.gguf",
    "hf.co/o/r/resolve/main/m (1) é.gguf, hf.co/o/r/m (1) é.gguf",
    "hf.co/o/r/a/m-00002-of-00003.gguf, hf.co/o/r/a/m-00001-of-00003.gguf",
  })
  void huggingFace(String text, String canonical) {
    assertCanonical(HuggingFace.class, text, canonical);
  }

  @ParameterizedTest
  @CsvSource({
    "hf.co/o/r, m-Q4_K_M.gguf, true",
    "hf.co/o/r, m-Q8_0.gguf, false",
    "hf.co/o/r:q4_k_m, Q4_K_M/m-00002-of-00003.gguf, true",
    "hf.co/o/r:Q4_K_M, m.q4_k_m-00002-of-00003.gguf, true",
    "hf.co/o/r:Q4_K_M, Q4_K_M.gguf, true",
    "hf.co/o/r:Q4_K_M, m-Q4_K_M.txt, false",
    "hf.co/o/r:Q4_K, m-Q4_K_M.gguf, false",
    "hf.co/o/r:Q4_XS, m-IQ4_XS.gguf, false",
    "hf.co/o/r/m.gguf, m.gguf, true",
    "hf.co/o/r/m.gguf, a/m.gguf, false",
    "hf.co/o/r/m-00001-of-00002.gguf, m-00002-of-00002.gguf, true",
    "hf.co/o/r/m-00001-of-00002.gguf, m-00002-of-00003.gguf, false",
  })
  void filesOfHuggingFace(String reference, String path, boolean matches) {
    assertEquals(matches, ((HuggingFace) parse(reference)).matches(path));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0123456789ab", "HEX", "sha256:0123456789ab", "sha256:HEX"})
  void ids(String text) {
    String hex = text.replace("sha256:", "");
    assertEquals(new Id(hex.replace("HEX", HEX)), parse(text));
    assertCanonical(Id.class, text, "sha256:" + hex);
  }

  @ParameterizedTest
  @CsvSource({
    "./ai/nemo, ./ai/nemo",
    "../nemo, ../nemo",
    "., .",
    "/models/nemo, /models/nemo",
    "/C:/nemo, /C:/nemo",
    "~/nemo, ~/nemo",
    "'C:\\models\\nemo', 'C:\\models\\nemo'",
    "c:/nemo, c:/nemo",
    "'\\\\server\\nemo', '\\\\server\\nemo'",
    "'models\\nemo', './models\\nemo'",
    "nemo.gguf, ./nemo.gguf",
    "My Models/Nemo.GGUF, ./My Models/Nemo.GGUF",
    "file:nemo, ./nemo",
    "file:./nemo, ./nemo",
    "file:hf.co/o/r, ./hf.co/o/r",
    "FILE:/a%20b/%C3%A9, /a b/é",
    "file:///models/nemo, /models/nemo",
    "file://localhost/models/nemo, /models/nemo",
    "file:///C:/nemo, C:/nemo",
  })
  void files(String text, String path) {
    assertCanonical(File.class, text, path);
  }

  /** What is at fault and what to write are named. */
  @ParameterizedTest
  @CsvSource({
    "'', 'it is empty; write a path or a reference such as ai/mistral-nemo'",
    "'  ', it is empty",
    "Mistral-Nemo, 'the name ''Mistral-Nemo'' has upper-case letters; write ''mistral-nemo'''",
    "TheBloke/Nemo, 'write ''thebloke/nemo'', or ''hf.co/TheBloke/Nemo'' for Hugging Face'",
    "host:1/A:tag, 'write ''a'''",
    "hello world, 'the name ''hello world'' must be lower-case letters and digits'",
    "a//b, the name 'a//b' must",
    "a..b, the name 'a..b' must",
    "-a, the name '-a' must",
    ":tag, it has no name",
    "host:5000/, it has no name",
    "@sha256:HEX, it has no name",
    "nemo:, 'the tag '''' must be 1 to 128'",
    "nemo:a:b, the tag 'a:b' must",
    "nemo:.a, the tag '.a' must",
    "'ai/nemo:5000/x', the tag '5000/x' must",
    "nemo@sha256:abc, the digest 'sha256:abc' must be sha256: and 64",
    "nemo@md5:HEX, the digest 'md5:",
    "me@host.com/nemo, the digest 'host.com/nemo' must",
    "sha256:abc, after 'sha256:' come 12 or 64",
    "sha256:0123456789AB, 'digits, in lower case'",
    "a_b.com/nemo, 'a_b.com' is no host",
    "'[::1', the name '[' must",
    "[::1]/, it has no name",
    "'[1::2::3]/nemo', '[1::2::3]' is no host",
    "[fe80::1%eth0]:5000/nemo, is no host",
    "fc00::1:5000/nemo, 'fc00::1:5000' is no host",
    "host:tag/nemo, 'host:tag' is no host",
    "host:65536/nemo, the port '65536' is not between 1 and 65535",
    "host:0/nemo, the port '0'",
    "https://huggingface.co/o/r, references have no 'https://'; leave it out",
    "hf.co/, 'write hf.co/ORG/REPO, hf.co/ORG/REPO:QUANT or'",
    "hf.co/r:Q4_0, write hf.co/ORG/REPO",
    "hf.co/o/r--s, the repository 'r--s' is none",
    "hf.co/o/r.git, the repository 'r.git' is none",
    "hf.co/.o/r, the organisation '.o' is none",
    "hf.co/o/r@sha256:HEX, the repository 'r@sha256' is none",
    "hf.co/o/r/, '' is no .gguf file of a repository",
    "hf.co/o/r/tree/main, 'tree/main' is no .gguf file",
    "hf.co/o/r/../m.gguf, '../m.gguf' is no .gguf file",
    "hf.co/o/r//m.gguf, '/m.gguf' is no .gguf file",
    "hf.co/o/r:Q4 0, the tag 'Q4 0'",
    "hf.co/o/r/m-00004-of-00003.gguf, there is no part '00004-of-00003.gguf'",
    "file:a b, write the path without 'file:'",
    "file://server/a, a file of the host 'server' cannot be opened",
    "file://localhost, it has no path",
    "file:/a?b, a file has neither ? nor #",
    "file:/a%00b, paths have no NUL",
  })
  void errors(String text, String reason) {
    String message = refusal(text);
    String whole = text.replace("HEX", HEX);
    assertTrue(message.startsWith("'" + whole + "' names no model: "), message);
    assertTrue(message.contains(reason), message);
  }

  @Test
  void invisibleCharactersAreShown() {
    assertTrue(refusal("ai/ne\u00a0mo\u200b\n").startsWith("'ai/ne\\u00a0mo\\u200b\\u000a' names"));
    assertTrue(refusal("cut \ud83d").startsWith("'cut \\ud83d' names"));
    assertEquals(
        "cut \ud83d",
        assertThrows(ModelReferenceException.class, () -> parse("cut \ud83d")).reference());
  }

  @Test
  void lengths() {
    parse("h.example/" + "a/".repeat(127) + "a");
    assertTrue(refusal("h.example/" + "a/".repeat(127) + "aa").contains("longer than 255"));
    parse("a".repeat(252));
    assertTrue(refusal("a".repeat(253)).contains("longer than 255"));
    parse("a:" + "t".repeat(128));
    assertTrue(refusal("a:" + "t".repeat(129)).contains("must be 1 to 128"));
    parse("hf.co/o/" + "r".repeat(96));
    assertTrue(refusal("hf.co/o/" + "r".repeat(97)).contains("up to 96"));
    assertTrue(refusal("h".repeat(253) + ".com/a").contains("is no host"));
    for (String part : new String[] {"a", "a/", "a.", "../", "hf.co/", "[", "file:", ":", "@"}) {
      String message = refusal(part.repeat(1_000_000));
      assertTrue(message.endsWith("longer than 4096 characters"), message);
      assertFalse(message.length() > 200, message);
    }
  }
}
