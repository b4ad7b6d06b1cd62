"""How plausible decoded characters are: what distinguishes the right encoding from one that only happens to decode."""

from __future__ import annotations

from functools import lru_cache

# The 500 most frequent characters of simplified and the 450 of traditional Chinese (reviews, news titles, medical
# questions and encyclopaedia articles): three of four characters of a running text are among them.
_FREQUENT = frozenset(
    "的不是了一有好大时我在很送个人要以吃还年这没到就中可上小点为么来多也都能生肝病后会国子下发太和高餐用本道家度出次说间过治分者于地常对心现天看外成食得什性日面行新方快服三学比错物前自定里电最味开体房图意"
    "经情给期果价感月血但他等之作如科动店公及再理两全菜重你实而当西患去酒长药量书被务因少化部们慢主肉内其特东金打样饭员第所法美觉机差名平与元建同然水真只单非压话想才加救别口乙种明业医通市海基胃正将无较手起"
    "事合考些查力线那入半问品身网应结怎般复保装直位饮女难场进知速车文做超评议工区疗万北斯已住总买台活米回头系关吗原且院二路利门热或症相检代星解称马需南阳配收订十传色制态盘并着级球香完老持让接包放客格望状儿"
    "带早至又几山炎数近此气引题四站使癫根首神卖目由亚尔联指痫商提清消白况候强安哪股调晚华己居港糖产反死受表管拉毒便布赛推战啊油硬谢从低饼取交质组统更留语足干世达信辣游京功细变货设民士友巴凉英王致该办注您花"
    "专司百份见吧号确军男计师今型乐始精楼影程类式降光城孩认增钟五每鱼教预风资卡州费周选除抗广红龙喜片运队视获德易挺容政任克豆报素效值鸡整爱张条失显改满喝康立施何流欢钱防处据像免尼卷连先标读哥够宝音观准离蛋"
    "國為於時個學後會軍與發區來東戰對經爾這動開亞內並馬共種長統機現業羅過府產進聯稱體間當帝將義華電朝權島界總約史議古語黨兩紀關麼員設達數族領灣阿省河著從隊組運車展蘭實臺爭認場傳縣各林計選漢則濟務土韓賽江維"
    "屬結條向萬說廣線形社書導洲變們皇無命宗造歐術蒙舉決類還蘇際局資校字納派張處空氣普帶陸武鐵曾兵視邦印擊歷源境官規許別團論支奧夫風誰點石據門質集攻劉言威幾圖該報件列較強域初括委殺郵即研構沒它級應號福伊網票"
    "宣獨率獲俄革群倫波邊龍興劃織農響亦衛繼單溫究參題修置另問央"
)
_WRONG = -4.0  # what no text holds: control characters, unassigned ones, bytes that did not decode
_TYPOGRAPHIC = "‘’“”‚„–—…•€™"
_LATIN_SIGNS = "¡¿«»£¥§©®°·´²³½¼ªº\xa0"


def plausibility(text: str) -> tuple[float, int]:
    """(mean plausibility of the characters outside ASCII, their number); from -4, impossible, to 3, frequent.

    (0, 0) where there are none.
    """
    total, count, run = 0.0, 0, 0
    for place, character in enumerate(text):
        if character <= "\x7f":
            run = 0
            continue
        run += 1
        count += 1
        if character < "\u0250" or character in _TYPOGRAPHIC:
            total += _western(text, place, run)
        else:
            total += _weight(character)
    return (total / count, count) if count else (0.0, 0)


def _western(text: str, place: int, run: int) -> float:
    """Accented letters are next to letters, signs are single; long runs of them are Chinese that was misread."""
    character, before, after = text[place], text[place - 1 : place], text[place + 1 : place + 2]
    if "\x80" <= character < "\xa0":
        return _WRONG
    if character in _TYPOGRAPHIC:
        return 1.5
    if run >= 3 or (run == 2 and after > "\x7f"):
        return -3.0
    if character.isalpha():
        beside = (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha())
        return (2.0 if run == 1 and after <= "\x7f" else 1.0) if beside else 0.2
    return 0.5 if character in _LATIN_SIGNS else -0.5


@lru_cache(maxsize=70_000)
def _weight(character: str) -> float:
    if character in _FREQUENT:
        return 3.0
    code = ord(character)
    if 0x4E00 <= code <= 0x9FFF:
        return _chinese(character)
    if 0x3000 <= code <= 0x303F or 0xFF01 <= code <= 0xFF5E or code == 0xFFE5:
        return 1.5
    if 0x2010 <= code <= 0x266F and not 0x2500 <= code <= 0x257F:  # punctuation, signs, circled numbers
        return 0.5
    if 0xE000 <= code <= 0xF8FF or 0xD800 <= code <= 0xDFFF or code == 0xFFFD:
        return _WRONG
    return -1.5 if code < 0x10000 else 0.0


def _chinese(character: str) -> float:
    """By the tables of GB 2312 and Big5, whose first levels hold the characters in daily use."""
    gb = character.encode("gb2312", "ignore")
    if gb and gb[0] <= 0xD7:
        return 1.5
    big5 = character.encode("big5", "ignore")
    if big5 and big5[0] <= 0xC6:
        return 1.0
    return -1.0 if gb or big5 else -2.5
