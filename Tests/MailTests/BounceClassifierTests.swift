import Testing

@testable import Mail

@Suite("Classifying refusals")
struct BounceClassifierTests {
    @Test(
        "samples have the class that protects both the list and the sender",
        arguments: [
            ("550 5.1.1 user unknown", BounceClass.hard), ("550 No such user here", .hard),
            ("452 4.2.2 mailbox over quota", .soft), ("552 5.2.2 mailbox full", .soft),
            ("450 4.2.1 receiving mail too quickly", .soft), ("421 4.7.0 try again later", .block),
            ("421 4.7.28 unusual rate", .block), ("550 5.7.26 unauthenticated", .block),
            ("550 5.7.1 blocked using list X", .block), ("550; 5.7.515 Access denied", .block),
            ("550 5.2.1 The user you are trying to contact is receiving mail at a rate that", .soft),
            ("554 5.7.1 <a@b.example>: recipient address rejected: user unknown", .hard),
            ("550 5.4.1 Recipient address rejected: Access denied", .hard),
            ("550 5.1.10 null MX", .hard), ("556 5.1.10 no mail here", .hard), ("550 5.4.4 no route", .hard),
            ("552 5.3.4 too big", .soft), ("554 5.7.1 Message contains spam", .block),
            ("550 5.6.7 no SMTPUTF8", .config),
            ("535 5.7.8 bad login", .config), ("501 5.5.4 syntax", .config), ("550 5.1.8 bad sender", .config),
            ("450 4.2.0 Greylisted, try later", .soft), ("451 4.3.0 problem", .soft), ("554 5.4.6 loop", .soft),
            ("smtp; 550 5.1.1 <nobody@example.net>: no such mailbox", .hard), ("550 5.0.0 failed", .unknown),
            ("554 5.7.1 relay access denied", .config), ("551 not local", .hard), ("553 name not allowed", .hard),
            ("", .unknown), ("550 5.7.17 owner changed", .hard), ("450 4.1.1 user unknown", .soft),
        ])
    func samples(line: String, expected: BounceClass) {
        let verdict: BounceVerdict = BounceClassifier.classify(line: line)
        #expect(verdict.bounceClass == expected, "\(line): \(verdict.rule)")
    }

    @Test("a temporary block is a block that may be tried again")
    func temporary() {
        #expect(BounceClassifier.classify(line: "421 4.7.0 try again later").isTemporary)
        #expect(!BounceClassifier.classify(line: "550 5.7.26 unauthenticated").isTemporary)
        #expect(BounceClassifier.classify(code: nil, enhancedCode: "4.4.7", text: "").isTemporary)
    }

    @Test("the rule that decided is named")
    func rules() {
        #expect(BounceClassifier.classify(line: "554 5.7.1 user unknown").rule == "text.no-such-user")
        #expect(BounceClassifier.classify(line: "550 5.1.2 nowhere").rule == "enhanced.5.1.2")
        #expect(BounceClassifier.classify(line: "551 moved").rule == "code.551")
        #expect(BounceClassifier.classify(code: nil, enhancedCode: "5.0.0", text: "").rule == "none")
    }

    @Test(
        "a refused sender never counts against the recipient",
        arguments: ["550 rejected", "550 5.1.1 user unknown", "553 5.1.8 bad"])
    func senderStage(line: String) {
        let reply = SMTPReply(stage: .sender, lines: Array(line.utf8))
        #expect(BounceClassifier.classify(reply).bounceClass == .config)
    }

    @Test("a reply of several lines is read whole, with its enhanced code apart")
    func replies() {
        let reply = SMTPReply(
            stage: .recipient, lines: Array("550-5.1.1 The account does not exist.\r\n550 5.1.1 Try another\r\n".utf8))
        #expect(reply.code == 550)
        #expect(reply.enhancedCode == "5.1.1")
        #expect(reply.text.contains("does not exist"))
        #expect(
            SMTPReply(stage: .message, lines: Array("250 2.0.0 Ok: queued as 4X".utf8)).line
                == "250 2.0.0 Ok: queued as 4X")
        #expect(SMTPReply(stage: .message, lines: Array("250".utf8)).line == "250")
        let long = SMTPReply(stage: .message, lines: Array("554 5.7.1 \(String(repeating: "no ", count: 5000))".utf8))
        #expect(long.enhancedCode == "5.7.1")
        #expect(long.text.utf8.count <= 2000)
    }

    @Test(
        "an enhanced code has a class of 2, 4 or 5 and two numbers of up to three digits (RFC 3463)",
        arguments: [
            ("2.0.0", true), ("4.7.650", true), ("5.1.1", true), ("3.1.1", false), ("52.1.1", false), ("5.1", false),
            ("5.1.", false), ("5..1", false), ("5.1.1.1", false), ("5.1.1000", false), ("5.1.x", false),
            (".1.1", false),
            ("", false),
        ])
    func enhancedCodes(word: String, isCode: Bool) {
        #expect(EnhancedCode.isCode(word.utf8) == isCode)
        let reply = SMTPReply(stage: .message, lines: Array("550 \(word) words".utf8))
        #expect(reply.enhancedCode == (isCode ? word : nil))
    }
}
