/// A newsletter as they are: a table layout, five links, a picture, words for the person.
enum BenchLetter {
    static let html = """
        <table width="600" align="center" style="font-family: Arial, sans-serif; color: #222222"><tr><td>
        <h1 style="font-size: 26px">Hello {{ contact.first_name | default: "there" }}</h1>
        <p>It is getting colder in {{ contact.properties.city | default: "your town" }}, so we looked for things that keep
        you warm. As somebody with the plan {{ contact.properties.plan | upcase }} you see them first.</p>
        <p><a href="https://shop.example.com/coats?utm_source=mail">Coats for long walks</a></p>
        <p><a href="https://shop.example.com/tea?utm_source=mail">Tea for long evenings</a></p>
        {% if contact.properties.plan == "pro" %}<p>Your discount is ready at the checkout.</p>
        {% else %}<p>Think about the plan pro: it pays for itself with the second order.</p>{% endif %}
        <p><a href="https://shop.example.com/books?utm_source=mail">Books</a> and
        <a href="https://shop.example.com/lamps?utm_source=mail">lamps to read them by</a></p>
        <p><img src="https://shop.example.com/autumn.jpg" width="560" height="240" alt="A path in autumn"></p>
        <p><a href="https://shop.example.com/?utm_source=mail">To the shop</a></p>
        <p style="font-size: 12px">You get this because you signed up for our news.
        <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
        </td></tr></table>
        """
}
