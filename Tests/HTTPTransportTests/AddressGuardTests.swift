import Testing

@testable import HTTPTransport

@Suite("Which addresses a user's URL may reach")
struct AddressGuardTests {
    @Test(
        "inner, special and disguised addresses are blocked",
        arguments: [
            "127.1", "0177.0.0.1", "0x7f.1", "2130706433", "0x7f000001", "017700000001", "0", "localhost.", "10.1.2.3",
            "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.0.2.1", "198.18.0.1",
            "203.0.113.9", "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[fe80::1]",
            "[fc00::1]",
            "[2001:db8::1]", "[2001:0:7f00:1::]", "224.0.0.1", "[ff02::1]", "[fec0::1]", "[64:ff9b::7f00:1]",
            "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "127.0.0.1", "127.0.0.1.", "localhost", "intranet", "", ".",
            "a..",
            "[nonsense]", "256.1.1.1", "printer.local", "db.internal", "0x", "[::ffff:8.8.8.8]",
        ])
    func blocked(host: String) {
        #expect(!AddressGuard.allows(host: host))
    }

    @Test(
        "public addresses and names are allowed",
        arguments: [
            "8.8.8.8", "172.32.0.1", "[2606:4700:4700::1111]", "example.com", "example.com.", "xn--bcher-kva.example",
        ])
    func allowed(host: String) {
        #expect(AddressGuard.allows(host: host))
    }

    @Test(
        "URLs that two parsers could read differently, or that carry more than an address, are refused",
        arguments: [
            "http://127.0.0.1\\@example.com/", "http://example.com/", "https://user@example.com/",
            "https://u:p@example.com/",
            "https://example.com:8443/", "https://①②⑦.⓪.⓪.①/", "https://a@b@example.com/", "https:/127.0.0.1/",
            "ftp://example.com/", "file:///etc/passwd", "https://exa mple.com/", "https://example.com/\r\nX: y", "",
            "https://", "https://127.0.0.1/", "https://0x7f.1/", "https://[::1]/", "https://localhost/",
            "gopher://example.com",
            "https://example.com/" + String(repeating: "a", count: 2048),
        ])
    func urls(text: String) {
        #expect(throws: OutboundFailure.self) { try OutboundURL(text, trust: .user) }
    }

    @Test("an ordinary URL passes, with its host and port")
    func ordinary() throws {
        let url = try OutboundURL("https://hooks.example.com/a?b=c@d", trust: .user)
        #expect(url.host == "hooks.example.com")
        #expect(url.port == 443)
        #expect(try OutboundURL("http://127.0.0.1:8080/x", trust: .operatorSetting).port == 8080)
    }
}
