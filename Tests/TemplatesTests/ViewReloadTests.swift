import Foundation
import Synchronization
import Testing

@testable import Templates

@Suite struct ViewReloadTests {
    private static func withDirectory(_ work: (String) throws -> Void) throws {
        let path: String = NSTemporaryDirectory() + "views-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try work(path)
    }

    private static func write(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test("A change is seen after the pause; a mistake keeps the old views and is told")
    func reload() throws {
        try Self.withDirectory { directory in
            let file: String = directory + "/test.html"
            try Self.write("{% page TestPage %}one", file)
            let time = Mutex(ContinuousClock.now)
            let reloader = ViewReloader(directory: directory, now: { time.withLock { $0 } }) { () throws(ViewErrors) in
                try ViewLibrary.load(
                    directory: directory, pages: [TestPage.self], chrome: TestChrome.self, asset: { _ in nil })
            }
            func shown() throws -> String {
                let bytes: [UInt8]? = try reloader.current().library?.render(TestPage(), chrome: TestChrome())
                return String(decoding: bytes ?? [], as: UTF8.self)
            }
            #expect(try shown() == "one")
            try Self.write("{% page TestPage %}second", file)
            #expect(try shown() == "one")
            time.withLock { $0 += .milliseconds(300) }
            #expect(try shown() == "second")
            try Self.write("{% page TestPage %}{{ nothing }}", file)
            time.withLock { $0 += .milliseconds(300) }
            #expect(try shown() == "second")
            let errors = try #require(reloader.current().errors)
            #expect(errors.errors.map(\.summary) == ["Views/test.html:1:23: unknown field 'nothing' on TestPage"])
            #expect(String(decoding: errors.page, as: UTF8.self).contains("unknown field &#39;nothing&#39;"))
            try Self.write("{% page TestPage %}good", file)
            time.withLock { $0 += .milliseconds(300) }
            #expect(try shown() == "good")
            #expect(reloader.current().errors == nil)
        }
    }

    @Test("An inspection counts what it rendered, or lists the mistakes")
    func inspection() throws {
        let good = ViewInspection(pages: [TestPage.self], chrome: TestChrome()) { () throws(ViewErrors) in
            try ViewLibrary.load(
                sources: ["test.html": "{% page TestPage %}x"], pages: [TestPage.self], chrome: TestChrome.self,
                asset: { _ in nil })
        }
        #expect(good.isSound)
        #expect(good.report == "1 views, 1 pages, 2 previews: no mistakes\n")
        let bad = ViewInspection(pages: [TestPage.self], chrome: TestChrome()) { () throws(ViewErrors) in
            try ViewLibrary.load(
                directory: "/nowhere/at/all", pages: [TestPage.self], chrome: TestChrome.self, asset: { _ in nil })
        }
        #expect(!bad.isSound)
        #expect(bad.report.contains("the directory of views '/nowhere/at/all' cannot be read"))
    }
}
