import FoundationEssentials
import Testing
import Web

@Suite("Moments in HTTP headers")
struct HTTPDateTests {
    @Test("They are written as RFC 9110 writes its example")
    func writes() {
        #expect(HTTPDate.text(Date(timeIntervalSince1970: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(Date(timeIntervalSince1970: 951_782_400)) == "Tue, 29 Feb 2000 00:00:00 GMT")
    }
}
