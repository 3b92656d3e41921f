package dev.nautil.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.GrammarException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GbnfParserTest {
  private static boolean matches(String grammar, String text) {
    Machine machine = new Machine(GrammarCompiler.compile(Grammar.gbnf(grammar)));
    Config config = machine.initial();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      config = machine.next(config, b & 0xff);
    }
    return config.isComplete;
  }

  /** Precedence and associativity are the grammar's; left recursion is allowed. */
  @Test
  void readsAGrammarOfSeveralRules() {
    String arithmetic =
        """
        # sums, of
        root ::= sum "\\n"   # a line
        sum  ::=
            sum [-+] product |
            product

        product ::= (
            product ("*" | "/")
            factor
          | factor
        )
        factor ::= [0-9]+ | "(" sum ")" | "-"? "x"
        """;
    assertTrue(matches(arithmetic, "1+2*(3-x)/-x\n"));
    assertFalse(matches(arithmetic, "1+*2\n"));
    assertFalse(matches(arithmetic, "1+2"));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "root ::= \"\\x41\\u00e9\\U0001f600\\t\\\"\\\\\",`Aé😀\t\"\\`,true",
        "root ::= [^\\]a-c]+ [\\]],xyz],true",
        "root ::= [a-],-,true",
        "root ::= .,`\n`,true",
        "`root ::= \"a\"{2,3}`,aaa,true",
        "`root ::= \"a\"{2,3}`,aaaa,false",
        "`root ::= \"a\"{ 2 , }`,aaaaa,true",
        "`root ::= \"a\"{2}`,a,false",
        "root ::= (\"a\" \"b\"?)*,abaab,true",
        "root ::= \"a\"?+,aaa,true",
        "`root ::= a | \n a\na ::= \"a\"?`,``,true",
        "`root ::= rule-2\r\nrule-2 ::= \"x\"\r\n`,x,true",
      })
  void readsEachConstruct(String grammar, String text, boolean matches) {
    assertEquals(matches, matches(grammar, text));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "root ::= other,1,10,there is no rule 'other'",
        "`root ::= \"a\nb\"`,1,10,the literal that begins here has no end",
        "`root ::= \"a\"\n  x = 2`,2,5,'::=' is expected after the name 'x'; not '='",
        "`root ::= [a`,1,10,the class that begins here has no end",
        "`root ::= (\"a\"`,1,10,')' is expected for the group that begins here; not the end",
        "`root ::= \"a\" ) \"b\"`,1,14,a part of rule 'root' is expected; not ')'",
        "root ::= * \"a\",1,10,there is nothing for '*' to repeat",
        "`root ::= \"a\"{x}`,1,14,a number is expected; not 'x'",
        "`root ::= \"a\"{3,2}`,1,13,a repetition from 3 to 2",
        "root ::= \"\\q\",1,11,unknown escape \\q",
        "root ::= \"\\x4\",1,11,an escape without its 2 hexadecimal digits",
        "root ::= \"\\U00110000\",1,11,an escape past the last character",
        "root ::= \"\\ud800\",1,11,half of a surrogate pair",
        "root ::= [z-a],1,11,a range whose ends are out of order",
        "`root ::= \"a\"\nroot ::= \"b\"`,2,1,the rule 'root' is defined twice",
        "::= \"a\",1,1,a rule's name is expected; not ':'",
      })
  void saysWhatIsWrongAndWhere(String grammar, int line, int column, String what) {
    GrammarException e = assertThrows(GrammarException.class, () -> Grammar.gbnf(grammar));
    String place = "line " + line + ", column " + column + ": ";
    assertTrue(e.getMessage().startsWith(place + what.replace(';', ',')), e.getMessage());
  }

  @Test
  void wantsARoot() {
    GrammarException e = assertThrows(GrammarException.class, () -> Grammar.gbnf("a ::= \"a\""));
    assertTrue(e.getMessage().contains("no rule 'root'"));
  }

  @Test
  void namesTheRuleThatMatchesNothing() {
    Grammar grammar = Grammar.gbnf("root ::= \"[\" list \"]\"\nlist ::= \"x\" list");
    GrammarException e =
        assertThrows(GrammarException.class, () -> GrammarCompiler.compile(grammar));
    assertEquals("rule 'list' matches no text", e.getMessage());
  }

  @Test
  void refusesGroupsThatAreTooDeepWithoutOverflow() {
    String deep = "root ::= " + "(".repeat(100_000) + "\"a\"" + ")".repeat(100_000);
    assertThrows(GrammarException.class, () -> Grammar.gbnf(deep));
    String signs = "root ::= \"a\"" + "*".repeat(100_000);
    assertThrows(GrammarException.class, () -> Grammar.gbnf(signs));
  }
}
