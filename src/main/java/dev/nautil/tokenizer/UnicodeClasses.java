package dev.nautil.tokenizer;

import java.util.Arrays;

/**
 * The class of every character, as pre-tokenizers see it: Unicode 16.0, written by
 * scripts/unicode_classes.py.
 *
 * <p>{@link Character} would answer by the Unicode version of the JDK in use, and the same text
 * would give other ids on another JDK.
 */
final class UnicodeClasses {
  /** Lu and Lt. */
  static final int UPPER = 1;

  /** Ll. */
  static final int LOWER = 2;

  /** Lm and Lo. */
  static final int OTHER_LETTER = 4;

  /** M. */
  static final int MARK = 8;

  /** N. */
  static final int NUMBER = 16;

  /** White_Space, which is {@code \s}. */
  static final int SPACE = 32;

  /** P. */
  static final int PUNCTUATION = 64;

  /** L. */
  static final int LETTER = UPPER | LOWER | OTHER_LETTER;

  private static final byte[] CLASSES = new byte[0x110000];

  private UnicodeClasses() {}

  /** The class bit of a code point (at most one is set), or 0 for symbols, controls, unassigned. */
  static int of(int codePoint) {
    return CLASSES[codePoint];
  }

  // Runs of one class in code point order: the class's letter, then the run's length in base 36
  // upper case (none: 1). "-" is class 0; what is left over at the end is class 0 too.
  private static final String RUNS =
      "-9s5-Isp3-p6-p4nAp2-3p2uQp3-p-lQp-p-7s-Qsp-5p-2op-6n2-lp2-nopn3puN-u7lO-l8ulululululul"
          + "ulululululululululululululululululululululul2ulululululululul2ulululululululululululul"
          + "ulululululululululululu2lulul3u2lulu2lu3l2u4lu2lu3l3u2lu2lululu2lul2ulu2lu3lulu2l2oul3"
          + "o4u2lu2lu2lulululululululul2ululululululululul2u2lulu3lulululululululululululululululu"
          + "lululululululululululululul7u2lu2l2ulu4lulululul1XolRoI-4oC-Eo5-7o-o-Hm34ululo-ul-2ol3"
          + "pu-6upu3-u-u2luH-u9lZul2u3l3ulululululululululululul5ul-ulu2l2u1Fl1Cululululululululul"
          + "ulululululululul-m7ulululululululululululululululululululululululululululu2lululululul"
          + "ul2ulululululululululululululululululululululululululululululululululululululululululu"
          + "lulululululul-u12-2op6l15p2-6m19pmpm2pm2pm-8oR-4o4p2-Kp2-p2-2mBp-p3o17mLnAp4o2mo2Rpom7"
          + "-2m6o2m2-m4o2nAo3-2opE-2omoUmR-2o2HmBo-EnAoXm9o2-p3o-2m-2oMm4om9om3om5-2pF-oPm3-2p-oB-"
          + "5oO-o6-8m9o16mO-mXo1Im3omIom7oAm2p2nApoGm3-o8-2o2-2oM-o7-o-3o4-2mom7-2m2-2m3o-8m-4o2-o"
          + "3m2-2nAo2-2n6-2opm-2m3-o6-4o2-2oM-o7-o2-o2-o2-2m-m5-4m2-2m3-3m-7o4-o-7nAm2o3mp-Am3-o9-"
          + "o3-oM-o7-o2-o5-2mom8-m3-m3-2o-Fo2m2-2nAp-8om6-m3-o8-2o2-2oM-o7-o2-o5-2mom7-2m2-2m3-7m3"
          + "-4o2-o3m2-2nA-on6-Amo-o6-3o3-o4-3o2-o-o2-3o2-3o3-3oC-4m5-3m3-m4-2o-6m-EnD-Dm5o8-o3-oN-"
          + "oG-2mom7-m3-m4-7m2-o3-2o-2o2m2-2nA-7pn7-om3po8-o3-oN-oA-o5-2mom7-m3-m4-7m2-6o2-o2m2-2n"
          + "A-o2m-Cm4o9-o3-o15m2om7-m3-m4o-5o3mn7o3m2-2nJ-o6-m3-oI-3oO-o9-o-2o7-3m-4m6-m-m8-6nA-2m"
          + "2p-Co1Cmo2m7-5o7m8pnAp2-11o2-o-o5-oO-o-oAmo2m9o-2o5-o-m7-nA-2o4-Wo-3pF-p-3m2-6nK-m-m-m"
          + "p4m2o8-o10-4mKpm2o5mB-m10-9m-9p5-4p2-11o17mKonAp6o6m4o4m3om3o2m7o3m4oDmComnAm4-2u12-u-"
          + "5u-2l17pol3o95-o4-2o7-o-o4-2o15-o4-2oX-o4-2o7-o-o4-2oF-o1L-o4-2o1V-2m3p9nK-3oG-Gu2E-2l"
          + "6-2poH8-poHsoQp2-3o23p3n3o8-7oIm4-9oJm3p2-9oIm2-CoD-o3-m2-Co1GmWp3op3-om-2nA-6nA-6pBm3"
          + "-mnA-6o2H-7o5m2oYmo-5o1Y-AoV-mC-4mC-8p2nAoU-2o5-Bo18-4oQ-6nB-11oNm5-2p2o1HmA-mT-2mnA-6"
          + "nA-6p7op6-2mV-1Dm5o1BmHo8-p2nAp7-Am9-9p3m3oUmDo2nAo18mE-8p4o10mK-3p5nA-3o3nAo10p2l9ul-"
          + "5u17-2u3p8-8m3pmLo4mo6mo2m3o-5l18o1RlDolYo11m1Sulululululululululululululululululululu"
          + "lululululululululululululululululululululululululululululululululululululululululululu"
          + "lulululululululululululul9ulululululululululululululululululululululululululululululul"
          + "ululululululululululululululululululul9u8l6-2u6-2l8u8l8u8l6-2u6-2l8-u-u-u-ul8u8lE-2l8u"
          + "8l8u8l8u8l5-l2u5-l-3l3-l2u5-3l4-2l2u4-4l8u5-5l3-l2u5-3sB-5pOs2-5spK-pD-pCs-Gno-2n6-3p2"
          + "onA-3p2-oD-1FmX-Hu-4u-2lu3l2u3l-u-3u5-6u-u-u-u4-lu4lo4l-2l2u2-5ul4-4l-n1Fuln5-AMp4-Tp2"
          + "-8Ln1O-26nM-H4pEnU-1Dp2-VpA-B7pM-1Rp4-Wp2-EAu1Cl1Culu3l2ulululu4lul2ul6o2u3lululululul"
          + "ululululululululululululululululululululululululululululululululululululululululululul"
          + "ul2-6ululm3ul-5p4np2l12-l-5l-2o1K-7op-EmoN-9o7-o7-o7-o7-o7-o7-o7-o7-mWp1BopW-2pC-BMsp3"
          + "-o2npA-2pC-n9m6po5-2n3o2p-3o2E-2m2-2o3po2Ipo4-5o17-o2M-3n4-AoW-1CoG-WnA-Un8-nF-WnA-13n"
          + "F-8Wo534-1SoH3H-1Vo1Ap2o7Hp3oGnAo2-Kulululululululululululululululululululululululom4p"
          + "mApoululululululululululululululo2m2o1YnAm2p6-Vo9-2ululululululul3ulululululululululul"
          + "ulululululululululululululululululululululol8ululu2lululululo-2ululoulul3ululululululu"
          + "lulululu5lu5lulululululululu4lulu2l-2ul-l-lulululu-Lo3ulo3lo7mo3mo4moNm5-4m-3n6-Ao1Gp4"
          + "-8m2o1EmI-8p2nA-6mIo6p3opo2mnAoSm8p2oNmD-BpoT-3m4o1BmEpD-onA-4p2o5moAnAo5-o15mE-9o3mo8"
          + "m2-2nA-2p4oN-3om3o1Emom3o2m2o5m2omo-Oo3p2oBm5p2o3m2-Ao6-2o6-2o6-9o7-o7-l17-o4l9o-6l28o"
          + "Zm8pm2-2nA-6o8MC-CoN-4o1D-6ISoA6-2o2Y-12l7-Cl5-5omoA-oD-o5-o-o2-o2-o30-XoA3p2-Go1S-2o1"
          + "I-14oC-4mGpA-6mGpZ-pE-p-4p-p2-4o5-o3R-4p3-p6-p4nAp2-3p2uQp3-p-lQp-p-p7o2H-3o6-2o6-2o6-"
          + "2o3-ZoC-oQ-oJ-o2-oF-2oE-Yo3F-5p3-4n19-Cn1L-Hn2-35m-3MoT-3o1D-FmnR-4oWn4-9oKno8n-5o12m5"
          + "-5oU-po10-4o8pn5-16u14l14o26-2nA-6u10-4l10-4o14-8o1G-BpuB-uF-u7-u2-lB-lF-l7-l2-3o1G-Co"
          + "8N-9oM-Ao8-Oo6-o16-o9-1Xo6-2o-o18-o2-3o-2oN-pn8oN-2n7oV-8n9-1CoJ-o2-5n5oMn6-3poQ-5p-1S"
          + "o1K-4n2o2nG-2n1Aom3-m2-5m4o4-o3-oT-2m3-4mn9-7p9-7oTn2poTn3-Wo8-oSm2-4n5p7-9o1I-3p7oM-2"
          + "n8oJ-5n8oI-7p4-Cn7-28o21-1Ju1F-Dl1F-7n6o10m4-8nA-6nAo6uM-3m5polM-62nV-o16-m2p-2o2-Go3-"
          + "1Jm4oTnAo-8oMmBn4p5-MoIm4p4-12oLn7-KoN-9m3o1HmFp7-4nUmo2m2o-9m4o19mBp2-p4m-DoP-7nA-6m3"
          + "o10mE-nAp4om2o-8oZmp2o-9m3o1CmEo4p4m4pm2nAopop3-nK-BoI-oPmCp6mo2m-1Qo7-o-o4-oF-oAp-6o1"
          + "BmC-5nA-6m4-o8-2o2-2oM-o7-o2-o5-m2om7-2m2-2m3-2o-6m-5o5m2-2m7-3m5-BoA-o-2o-o12-om9-m-2"
          + "m-m4-m5omop2-p2-8m2-To1HmIo4p5nAp2-pmo3-Uo1CmKo2po-8nA-4Mo1Bm7-2m9pNo4m2-Yo1CmHp3o-BnA"
          + "-6pD-Jo17mDop-6nA-6nK-SoR-2mF-4nCp3-o7-55o18mFp-2SuWlWnJ-Co8-2o-2o8-o2-oOm6-m2-2m4omom"
          + "2p3-9nA-1Yo8-2o13m7-2m7opom-RomAo14m7om4p8m-8omBo1AmGp3op5-Do21-7pA-52oXp-EnA-6o9-o11m"
          + "8-m8op5-AnT-3p2oU-2mM-mE-21o7-o2-o12m6-3m-m2-m7om-8nA-6o6-o2-oWm5-m2-m5o-7nA-8MoJm4p2-"
          + "7m2omoD-oYm7-3m5pDnAm-2Do-FnL-16poPM-2Un33-p5-Bo5G-218o2Pp2-DoTS-Gmo6mF-Ao32Z-5oG7-5A1"
          + "oUmInA-1C6oFT-7oV-nA-4p2o27-nA-6oU-2m5p-Ao1Cm7p5-4o4p-BnA-n7-oL-5oJ-C0o19p3nA-5IuWlWnN"
          + "p4-2To23-4mom1J-7m4oD-1So2pom-Bm2-Eo4QG-8oYE-15oA-6W7o4-o7-o2-o83-Fo-To3-2o-Eo4-8oB0-1"
          + "S4o2Z-5oD-3o9-7oA-3m2p-380nA-EEm1A-2mN-F2m5-3m6-8m8-2m7-Um4-44m3-3FnK-CnK-30nP-3RuQlQu"
          + "Ql7-lIuQlQu-u2-2u-2u2-2u4-u8l4-l-l7-lBuQlQu2-u4-2u8-u7-lQu2-u4-u5-u-3u7-lQuQlQuQlQuQlQ"
          + "uQlQuQlQuQlS-2uP-lP-l6uP-lP-l6uP-lP-l6uP-lP-l6uP-lP-l6ul-2n1E-E8m1J-4m1E-8m-Em-2p5-Fm5"
          + "-mF-UOlAolK-6l6-5Xm7-mH-2m7-m2-m5-5o1Q-Xm-34o19-3m7o7-2nA-4o-8XoUm-Ho18m4nA-D2oSm4nA-5"
          + "YoUm2onA-4p-DCo7-o4-o2-oF-o5H-2n9m7-15uYlYm7o-4nA-4p2-LTn1N-n3-n4-24n19-nF-5Eo4-oR-o2-"
          + "o-2o-oA-o4-o-o-6o-4o-o-o-o3-o2-o-2o-o-o-o-o-o2-o-2o4-o7-o4-o4-o-oA-oH-5o3-o5-oH-G4nD-2"
          + "5FnA-SMoWYO-Wo37E-6o66-2o4G2-Eo5RL-FoHA-1WIoF2-15Uo3T7-5o38G-F9E8m6O";

  static {
    int codePoint = 0;
    for (int i = 0; i < RUNS.length(); ) {
      int value = "ulomnsp".indexOf(RUNS.charAt(i++));
      int start = i;
      while (i < RUNS.length() && RUNS.charAt(i) < 'a' && RUNS.charAt(i) != '-') {
        i++;
      }
      int length = i == start ? 1 : Integer.parseInt(RUNS, start, i, 36);
      if (value >= 0) {
        Arrays.fill(CLASSES, codePoint, codePoint + length, (byte) (1 << value));
      }
      codePoint += length;
    }
  }
}
