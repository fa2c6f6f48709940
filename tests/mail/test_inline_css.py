"""CSS inlining: the style of a letter moves into its elements, its texts are unchanged."""

from css_inline import CSSInliner

from booking.mail import inline_css

STYLE = "<style>td {{ color: #111; }} @media (max-width: 9px) {{ td {{ color: red; }} }}</style>"
HEAD = f"<html><head><title>{{title}}</title>{STYLE}</head>"
PAGE = HEAD + '<body><table><tr><td>{text}</td><td><a href="{link}">{more}</a></td></tr></table></body></html>'


def page(**told: str) -> str:
    return PAGE.format(**{"title": "T", "text": "one", "link": "http://localhost/1", "more": "two"} | told)


def test_a_page_is_styled_as_the_whole_of_it_would_be() -> None:
    whole = CSSInliner(keep_at_rules=True).inline(page())
    assert inline_css.inline(page()) == whole
    assert 'style="color: #111;' in whole


def test_each_word_and_address_comes_back_where_it_was() -> None:
    inline_css.inline(page())
    told = {
        "title": "标题",
        "text": "a &lt;b&gt; &#39;\ue000",
        "link": "http://localhost/s?a=1&amp;b=2",
        "more": "更多",
    }
    assert inline_css.inline(page(**told)) == inline_css.inline(page()).replace(">T<", ">标题<").replace(
        ">one<", f">{told['text']}<"
    ).replace("http://localhost/1", told["link"]).replace(">two<", ">更多<")


def test_pages_of_one_shape_are_styled_once() -> None:
    inline_css._inlined.cache_clear()
    for text in ("one", "two", "three"):
        inline_css.inline(page(text=text))
    assert inline_css._inlined.cache_info().misses == 1
