"""What is filtered and translated between networks (`rules`), and how nftables spells it (`nft`)."""
