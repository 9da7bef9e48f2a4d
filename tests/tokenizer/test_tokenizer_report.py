from dnahlm.tokenizer.report import describe_vocabulary, write_report


def test_report_of_a_corpus_without_english_leaves_its_cost_open(tokenizer, make_corpus, tmp_path):
    report = write_report(tokenizer, make_corpus(dna=["genome.fa"]), tmp_path / "report.json", 8)
    assert report["bytes_per_english_token"] is None
    assert report["bases_per_dna_token"] > 1


def test_entries_are_sorted_into_dna_and_others(tokenizer):
    found = describe_vocabulary(tokenizer, 8)
    assert set("".join(found["longest_dna_tokens"])) <= set("ACGTN")
    assert " constitution" in found["longest_other_tokens"]
    assert found["vocab_size"] == len(tokenizer)
