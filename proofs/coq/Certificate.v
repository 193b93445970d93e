(** What a generated certificate states, and the checker that proves it. A one-qubit circuit is a
    list of gates with their textbook matrices on two complex amplitudes; a classical counterpart
    is a straight-line program over the reals. [certificate_sound]: where the computable [check]
    accepts, program and circuit have the same value for all real features and parameters. *)

Require Import Reals ZArith NArith QArith Qreals List Lra Lia FMapPositive.
From QrunEquiv Require Import Polynomial.
Import ListNotations.
Open Scope R_scope.

(** ** Meaning: complex numbers, gates, expectation values *)

Definition complex := (R * R)%type.
Definition cadd (a b : complex) : complex := (fst a + fst b, snd a + snd b).
Definition cmul (a b : complex) : complex :=
  (fst a * fst b - snd a * snd b, fst a * snd b + snd a * fst b).
Definition conj (a : complex) : complex := (fst a, - snd a).
Definition real (r : R) : complex := (r, 0).
Definition imaginary (r : R) : complex := (0, r).
Definition cis (t : R) : complex := (cos t, sin t).

(** A 2x2 matrix by its rows, and its product with a state. *)
Definition state := (complex * complex)%type.
Definition matrix := ((complex * complex) * (complex * complex))%type.
Definition apply (m : matrix) (v : state) : state :=
  let '((m00, m01), (m10, m11)) := m in
  (cadd (cmul m00 (fst v)) (cmul m01 (snd v)), cadd (cmul m10 (fst v)) (cmul m11 (snd v))).

Inductive pauli := IdentityOp | SigmaX | SigmaY | SigmaZ.

Definition pauli_matrix (p : pauli) : matrix :=
  match p with
  | IdentityOp => ((real 1, real 0), (real 0, real 1))
  | SigmaX => ((real 0, real 1), (real 1, real 0))
  | SigmaY => ((real 0, imaginary (-1)), (imaginary 1, real 0))
  | SigmaZ => ((real 1, real 0), (real 0, real (-1)))
  end.

(** The real part of <v| P |v>; the imaginary part is zero. *)
Definition mean (p : pauli) (v : state) : R :=
  let w := apply (pauli_matrix p) v in
  fst (cadd (cmul (conj (fst v)) (fst w)) (cmul (conj (snd v)) (snd w))).

(** An angle or coefficient: a sum of rational numbers times products of symbols. *)
Definition formula := list (Q * list symbol).

(** [RX a] is exp(-i a X / 2), [PhaseShift a] is diag(1, exp(i a)). *)
Inductive gate :=
  | RX (a : formula) | RY (a : formula) | RZ (a : formula) | PhaseShift (a : formula)
  | Hadamard | PhaseS | PhaseT | Pauli (p : pauli).

(** A counterpart: each operation adds a number to the list of those computed so far; [Add i j] is
    the sum of the numbers at positions i and j, counted from 0. *)
Inductive operation :=
  | Number (f : formula) | Cos (i : N) | Sin (i : N) | Sqrt (i : N) | Inv (i : N)
  | Opp (i : N) | Add (i j : N) | Mul (i j : N).

Definition look (values : list R) (i : N) : R := nth (N.to_nat i) values 0.

Section Meaning.
Variables x theta : N -> R.

Definition symbol_value (s : symbol) : R :=
  match s with
  | Feature j => x j
  | Theta j => theta j
  | PiNumber => PI
  | RootTwo => sqrt 2
  | Arccos j p => acos (x j ^ N.to_nat p)
  end.

Fixpoint product_value (m : list symbol) : R :=
  match m with [] => 1 | s :: m' => symbol_value s * product_value m' end.

Fixpoint formula_value (f : formula) : R :=
  match f with [] => 0 | (q, m) :: f' => Q2R q * product_value m + formula_value f' end.

Definition gate_matrix (g : gate) : matrix :=
  match g with
  | RX a => let t := formula_value a / 2 in
            ((real (cos t), imaginary (- sin t)), (imaginary (- sin t), real (cos t)))
  | RY a => let t := formula_value a / 2 in
            ((real (cos t), real (- sin t)), (real (sin t), real (cos t)))
  | RZ a => let t := formula_value a / 2 in
            ((cis (- t), real 0), (real 0, cis t))
  | PhaseShift a => ((real 1, real 0), (real 0, cis (formula_value a)))
  | Hadamard => let h := 1 / sqrt 2 in ((real h, real h), (real h, real (- h)))
  | PhaseS => ((real 1, real 0), (real 0, imaginary 1))
  | PhaseT => ((real 1, real 0), (real 0, cis (PI / 4)))
  | Pauli p => pauli_matrix p
  end.

Definition zero_state : state := (real 1, real 0).

Fixpoint evolve (circuit : list gate) (v : state) : state :=
  match circuit with [] => v | g :: rest => evolve rest (apply (gate_matrix g) v) end.

(** An observable is a sum of real multiples of Pauli operators. *)
Fixpoint mean_sum (observable : list (formula * pauli)) (v : state) : R :=
  match observable with
  | [] => 0
  | (c, p) :: rest => formula_value c * mean p v + mean_sum rest v
  end.

(** The expectation value of an observable after a circuit on the state |0>. *)
Definition expectation (circuit : list gate) (observable : list (formula * pauli)) : R :=
  mean_sum observable (evolve circuit zero_state).

Definition operation_value (values : list R) (o : operation) : R :=
  match o with
  | Number f => formula_value f
  | Cos i => cos (look values i)
  | Sin i => sin (look values i)
  | Sqrt i => sqrt (look values i)
  | Inv i => / look values i
  | Opp i => - look values i
  | Add i j => look values i + look values j
  | Mul i j => look values i * look values j
  end.

Fixpoint run (program : list operation) (values : list R) : list R :=
  match program with
  | [] => values
  | o :: rest => run rest (values ++ [operation_value values o])
  end.

(** The value of a counterpart: the number that its program computes at a position. *)
Definition counterpart (program : list operation) (output : N) : R := look (run program []) output.

End Meaning.

(** ** The checker *)

(** A base angle. Angles are sums of whole multiples of base angles and of pi/4. *)
Definition base := formula.

(** What a certificate tells the checker to do, in order: expand a node of the counterpart; take
    the next gate of the circuit; check that a component of the Bloch vector is [q] times node [i]
    and use the node as a variable from there on; check that node j is [q] times node i; check that
    the Bloch vector is that of amplitudes [a + i b] and [c + i d], polynomials in the nodes; use
    node [i] as a variable from there on. *)
Inductive step :=
  | Compute (i : N) | Gate | Match (p : pauli) (i : N) (q : Q) | Same (i j : N) (q : Q)
  | Amplitudes (a b c d : poly) | Keep (i : N).

Section Checker.
Variable bases : list base.

Definition arc (k : N) : option (N * N) :=
  match nth_error bases (N.to_nat k) with
  | Some [(u, [Arccos j p])] => if Qeq_bool u 1 then Some (j, p) else None
  | _ => None
  end.

Definition cosine (k : N) : mono :=
  match arc k with Some (j, p) => repeat (Symbol (Feature j)) (N.to_nat p) | None => [Cosine k] end.

Definition square (v : var) : option poly :=
  match v with
  | Symbol RootTwo => Some [(2%Q, [])]
  | Sine k => Some [(1%Q, []); ((-1)%Q, cosine k ++ cosine k)]
  | _ => None
  end.

Definition times := mul square.
Definition cis_poly := (poly * poly)%type.
Definition turn (z w : cis_poly) : cis_poly :=
  (add (times (fst z) (fst w)) (Polynomial.opp (times (snd z) (snd w))),
   add (times (snd z) (fst w)) (times (fst z) (snd w))).

Fixpoint power (z : cis_poly) (n : positive) : cis_poly :=
  match n with
  | xH => z
  | xO m => let w := power z m in turn w w
  | xI m => let w := power z m in turn (turn w w) z
  end.

Definition multiple (z : cis_poly) (n : Z) : cis_poly :=
  match n with
  | Z0 => (constant 1, [])
  | Zpos p => power z p
  | Zneg p => let w := power z p in (fst w, Polynomial.opp (snd w))
  end.

(** [q = n u] with a small whole number [n]. *)
Definition whole (q u : Q) : option Z :=
  let r := Qred (q / u) in
  if (Qeq_bool (inject_Z (Qnum r) * u) q && (Z.abs (Qnum r) <=? 4096)%Z)%bool
  then Some (Qnum r) else None.

Definition eighth : cis_poly :=
  ([((1 # 2)%Q, [Symbol RootTwo])], [((1 # 2)%Q, [Symbol RootTwo])]).

Definition of_formula (f : formula) : poly :=
  sum (map (fun t => (fst t, map Symbol (snd t))) f).

(** The coefficient of a monomial, if it has one. *)
Fixpoint coefficient (m : mono) (p : poly) : option Q :=
  match p with
  | [] => None
  | t :: p' => match mono_compare m (snd t) with Eq => Some (fst t) | _ => coefficient m p' end
  end.

(** How often [p] contains [f], by the first term of [f]; 0 if no whole number of times. *)
Definition times_in (f : formula) (p : poly) : Z :=
  match f with
  | (u, s) :: _ =>
      match coefficient (map Symbol s) p with
      | Some q => match whole q u with Some n => n | None => 0%Z end
      | None => 0%Z
      end
  | [] => 0%Z
  end.

(** Cosine and sine of an angle: base angles are taken out of it, one after the other, until
    nothing is left. *)
Definition without (p : poly) (n : Z) (f : formula) : poly :=
  add p (scale (inject_Z (- n)) (of_formula f)).

Fixpoint split (k : N) (rest : list base) (p : poly) : option cis_poly :=
  match p, rest with
  | [], _ => Some (constant 1, [])
  | _, [] => None
  | _, f :: rest' =>
      match times_in f p with
      | Z0 => split (N.succ k) rest' p
      | n => option_map (turn (multiple ([(1%Q, cosine k)], variable (Sine k)) n))
                        (split (N.succ k) rest' (without p n f))
      end
  end.

Definition quarter_pi : formula := [((1 # 4)%Q, [PiNumber])].

Definition cis_of (p : poly) : option cis_poly :=
  match times_in quarter_pi p with
  | Z0 => split 0%N bases p
  | n => option_map (turn (multiple eighth n)) (split 0%N bases (without p n quarter_pi))
  end.

(** The root of [1 - x^(2p)] is the sine of [Arccos j p]. *)
Fixpoint root (k : N) (rest : list base) (p : poly) : option poly :=
  match rest with
  | [] => None
  | _ :: rest' =>
      match arc k, square (Sine k) with
      | Some _, Some r => if same r p then Some (variable (Sine k)) else root (N.succ k) rest' p
      | _, _ => root (N.succ k) rest' p
      end
  end.

Definition known := PositiveMap.t poly.
Definition recall (m : known) (i : N) : option poly := PositiveMap.find (N.succ_pos i) m.
Definition learn (m : known) (i : N) (p : poly) : known := PositiveMap.add (N.succ_pos i) p m.

Definition compute (m : known) (o : operation) : option poly :=
  match o with
  | Number f => Some (of_formula f)
  | Cos i => match recall m i with Some p => option_map fst (cis_of p) | None => None end
  | Sin i => match recall m i with Some p => option_map snd (cis_of p) | None => None end
  | Sqrt i => match recall m i with Some p => root 0%N bases p | None => None end
  | Inv i => match recall m i with
             | Some [(q, [])] => if Qeq_bool q 0 then None else Some (constant (/ q))
             | _ => None
             end
  | Opp i => option_map Polynomial.opp (recall m i)
  | Add i j => match recall m i, recall m j with Some p, Some r => Some (add p r) | _, _ => None end
  | Mul i j =>
      match recall m i, recall m j with Some p, Some r => Some (times p r) | _, _ => None end
  end.

Definition arguments (o : operation) : list N :=
  match o with
  | Number _ => []
  | Cos i | Sin i | Sqrt i | Inv i | Opp i => [i]
  | Add i j | Mul i j => [i; j]
  end.

(** The Bloch vector: the means of X, Y and Z. *)
Definition bloch := (poly * poly * poly)%type.

Definition rotate (g : gate) (b : bloch) : option bloch :=
  let '(bx, by_, bz) := b in
  let minus p r := add p (Polynomial.opp r) in
  match g with
  | RX a => option_map (fun z => (bx, minus (times (fst z) by_) (times (snd z) bz),
                                  add (times (snd z) by_) (times (fst z) bz)))
                       (cis_of (of_formula a))
  | RY a => option_map (fun z => (add (times (fst z) bx) (times (snd z) bz), by_,
                                  minus (times (fst z) bz) (times (snd z) bx)))
                       (cis_of (of_formula a))
  | RZ a | PhaseShift a =>
      option_map (fun z => (minus (times (fst z) bx) (times (snd z) by_),
                            add (times (snd z) bx) (times (fst z) by_), bz))
                 (cis_of (of_formula a))
  | Hadamard => Some (bz, Polynomial.opp by_, bx)
  | PhaseS => Some (Polynomial.opp by_, bx, bz)
  | PhaseT => let z := eighth in
              Some (minus (times (fst z) bx) (times (snd z) by_),
                    add (times (snd z) bx) (times (fst z) by_), bz)
  | Pauli IdentityOp => Some b
  | Pauli SigmaX => Some (bx, Polynomial.opp by_, Polynomial.opp bz)
  | Pauli SigmaY => Some (Polynomial.opp bx, by_, Polynomial.opp bz)
  | Pauli SigmaZ => Some (Polynomial.opp bx, Polynomial.opp by_, bz)
  end.

Definition component (p : pauli) (b : bloch) : poly :=
  let '(bx, by_, bz) := b in
  match p with IdentityOp => constant 1 | SigmaX => bx | SigmaY => by_ | SigmaZ => bz end.

Definition replace (p : pauli) (r : poly) (b : bloch) : bloch :=
  let '(bx, by_, bz) := b in
  match p with
  | IdentityOp => b
  | SigmaX => (r, by_, bz) | SigmaY => (bx, r, bz) | SigmaZ => (bx, by_, r)
  end.

(** The Bloch vector of the amplitudes [a + i b] and [c + i d]. *)
Definition bloch_of (a b c d : poly) : bloch :=
  let two := scale 2 in
  let minus p r := add p (Polynomial.opp r) in
  (two (add (times a c) (times b d)), two (minus (times a d) (times b c)),
   minus (add (times a a) (times b b)) (add (times c c) (times d d))).

(** Nodes replaced by what is known about them. *)
Definition expanded_var (m : known) (v : var) : poly :=
  match v with
  | Node i => match recall m i with Some p => p | None => variable v end
  | _ => variable v
  end.
Definition expanded_mono (m : known) (v : mono) : poly :=
  fold_right (fun v p => times (expanded_var m v) p) (constant 1) v.
Definition expanded (m : known) (p : poly) : poly :=
  sum (flat_map (fun t => scale (fst t) (expanded_mono m (snd t))) p).

Definition memory := (known * bloch * list gate)%type.

Variable program : list operation.

Definition do_step (s : step) (m : memory) : option memory :=
  let '(k, b, gates) := m in
  match s with
  | Compute i =>
      match nth_error program (N.to_nat i) with
      | Some o =>
          if forallb (fun j => (j <? i)%N) (arguments o)
          then match compute k o with Some p => Some (learn k i p, b, gates) | None => None end
          else None
      | None => None
      end
  | Gate =>
      match gates with
      | g :: rest => match rotate g b with Some b' => Some (k, b', rest) | None => None end
      | [] => None
      end
  | Match p i q =>
      match recall k i with
      | Some r =>
          if same (component p b) (scale q r)
          then Some (learn k i (variable (Node i)),
                     replace p (scale q (variable (Node i))) b, gates)
          else None
      | None => None
      end
  | Same i j q =>
      match recall k i, recall k j with
      | Some p, Some r =>
          if same r (scale q p)
          then Some (learn k j (scale q (variable (Node i))), b, gates)
          else None
      | _, _ => None
      end
  | Amplitudes a' b' c d =>
      let new := bloch_of a' b' c d in
      let agrees p := same (component p b) (expanded k (component p new)) in
      if (agrees SigmaX && agrees SigmaY && agrees SigmaZ)%bool then Some (k, new, gates) else None
  | Keep i => Some (learn k i (variable (Node i)), b, gates)
  end.

Fixpoint do_steps (steps : list step) (m : memory) : option memory :=
  match steps with
  | [] => Some m
  | s :: rest => match do_step s m with Some m' => do_steps rest m' | None => None end
  end.

Fixpoint total (observable : list (formula * pauli)) (b : bloch) : poly :=
  match observable with
  | [] => []
  | (c, p) :: rest => add (times (of_formula c) (component p b)) (total rest b)
  end.

Definition start (circuit : list gate) : memory :=
  (PositiveMap.empty poly, ([], [], constant 1), circuit).

Definition check (circuit : list gate) (observable : list (formula * pauli)) (output : N)
    (steps : list step) : bool :=
  match do_steps steps (start circuit) with
  | Some (k, b, []) =>
      match recall k output with Some p => same p (total observable b) | None => false end
  | _ => false
  end.

End Checker.

(** Features inside an arccos lie between -1 and 1. *)
Fixpoint inside (x : N -> R) (bases : list base) : Prop :=
  match bases with
  | [] => True
  | [(_, [Arccos j _])] :: rest => -1 <= x j <= 1 /\ inside x rest
  | _ :: rest => inside x rest
  end.

(** ** Soundness *)

Section Soundness.
Variables x theta : N -> R.
Variable bases : list base.
Variable program : list operation.
Hypothesis domain : inside x bases.

Let nodes := run x theta program [].

Definition base_value (k : N) : R :=
  match nth_error bases (N.to_nat k) with
  | Some f => formula_value x theta f
  | None => 0
  end.

Definition env (v : var) : R :=
  match v with
  | Symbol s => symbol_value x theta s
  | Cosine k => cos (base_value k)
  | Sine k => sin (base_value k)
  | Node i => look nodes i
  end.

Notation val := (value env).

Lemma pow_inside r n : -1 <= r <= 1 -> -1 <= r ^ n <= 1.
Proof.
  intros H. induction n as [|n IH]; simpl; [lra|].
  split; nra.
Qed.

Lemma arc_spec k j p : arc bases k = Some (j, p) ->
  base_value k = acos (x j ^ N.to_nat p) /\ -1 <= x j ^ N.to_nat p <= 1.
Proof.
  unfold arc, base_value. intros H.
  destruct (nth_error bases (N.to_nat k)) as [[|[u m] [|]]|] eqn:E; try discriminate;
  destruct m as [|[ | | | |j' p'] [|]]; try discriminate.
  destruct (Qeq_bool u 1) eqn:U; [|discriminate]. injection H as -> ->.
  apply Qeq_bool_iff, Qeq_eqR in U. cbn [formula_value product_value].
  rewrite U, Q2R_one. split; [simpl; ring|].
  apply pow_inside. clear U. revert E. generalize (N.to_nat k). clear k.
  revert domain. clear nodes. induction bases as [|f l IH]; intros D [|k] E; try discriminate.
  - injection E as ->. apply D.
  - cbn in E. apply (IH) with (n := k); auto.
    destruct f as [|[v [|[] [|]]] [|]]; cbn in D; try exact D; apply D.
Qed.

Lemma repeat_value v n : mono_value env (repeat v n) = env v ^ n.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; reflexivity. Qed.

Lemma cosine_value k : mono_value env (cosine bases k) = cos (base_value k).
Proof.
  unfold cosine. destruct (arc bases k) as [[j p]|] eqn:A; [|simpl; ring].
  apply arc_spec in A. destruct A as [A B]. rewrite A, cos_acos by exact B.
  apply repeat_value.
Qed.

Lemma mono_app m n : mono_value env (m ++ n) = mono_value env m * mono_value env n.
Proof. induction m as [|v m IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma square_env v p : square bases v = Some p -> env v * env v = val p.
Proof.
  destruct v as [[]| | |]; try discriminate; cbn [square]; intros H; injection H as <-.
  - cbn [value env symbol_value]. unfold term_value; cbn [fst snd mono_value].
    rewrite sqrt_sqrt by lra. unfold Q2R; cbn. lra.
  - cbn [value env]. unfold term_value; cbn [fst snd mono_value].
    rewrite mono_app, !cosine_value. pose proof (sin2_cos2 (base_value k)) as H.
    unfold Rsqr in H. unfold Q2R; cbn. lra.
Qed.

Lemma times_value p r : val (times bases p r) = val p * val r.
Proof. apply mul_value, square_env. Qed.

Definition is_cis (z : cis_poly) (t : R) : Prop := val (fst z) = cos t /\ val (snd z) = sin t.

Lemma turn_value z w s t : is_cis z s -> is_cis w t -> is_cis (turn bases z w) (s + t).
Proof.
  intros [A B] [C D]. split; unfold turn; cbn [fst snd];
    rewrite !add_value, ?opp_value, !times_value, A, B, C, D, ?cos_plus, ?sin_plus; ring.
Qed.

Lemma power_value z t n : is_cis z t -> is_cis (power bases z n) (IZR (Zpos n) * t).
Proof.
  intros H. induction n as [n IH|n IH|]; cbn [power].
  - replace (IZR (Zpos n~1) * t) with (IZR (Zpos n) * t + IZR (Zpos n) * t + t)
      by (rewrite (Pos2Z.inj_xI n), plus_IZR, mult_IZR; ring).
    apply turn_value; auto. now apply turn_value.
  - replace (IZR (Zpos n~0) * t) with (IZR (Zpos n) * t + IZR (Zpos n) * t)
      by (rewrite (Pos2Z.inj_xO n), mult_IZR; ring).
    now apply turn_value.
  - now rewrite Rmult_1_l.
Qed.

Lemma one_value : is_cis (constant 1, []) 0.
Proof. split; cbn [fst snd]; [rewrite constant_value, cos_0|rewrite sin_0]; auto using Q2R_one. Qed.

Lemma multiple_value z t n : is_cis z t -> is_cis (multiple bases z n) (IZR n * t).
Proof.
  intros H. destruct n as [|n|n]; cbn [multiple].
  - rewrite Rmult_0_l. apply one_value.
  - now apply power_value.
  - destruct (power_value z t n H) as [A B]. rewrite <- Pos2Z.opp_pos, opp_IZR.
    replace (- IZR (Zpos n) * t) with (- (IZR (Zpos n) * t)) by ring.
    split; cbn [fst snd]; rewrite ?opp_value, ?cos_neg, ?sin_neg; congruence.
Qed.

Lemma whole_value q u n : whole q u = Some n -> Q2R q = IZR n * Q2R u.
Proof.
  unfold whole. set (r := Qnum (Qred (q / u))). cbv zeta.
  destruct (Qeq_bool (inject_Z r * u) q) eqn:E; [|discriminate].
  cbn [andb]. destruct (_ <=? _)%Z; [|discriminate]. intros H; injection H as <-.
  apply Qeq_bool_iff, Qeq_eqR in E. rewrite <- E, Q2R_mult. f_equal.
  unfold Q2R, inject_Z; cbn. field.
Qed.

Lemma symbols_value m : mono_value env (map Symbol m) = product_value x theta m.
Proof. induction m as [|s m IH]; simpl; [|rewrite IH]; reflexivity. Qed.

Lemma eighth_value : is_cis eighth (PI / 4).
Proof.
  assert (H : Q2R (1 # 2) * (sqrt 2 * 1) = 1 / sqrt 2).
  { assert (P : sqrt 2 <> 0) by (apply Rgt_not_eq, sqrt_lt_R0; lra).
    unfold Q2R; cbn. field_simplify_eq; auto. cbn. rewrite Rmult_1_r. now apply sqrt_sqrt; lra. }
  split; cbn [fst snd eighth value]; unfold term_value; cbn [fst snd mono_value env symbol_value];
    rewrite ?cos_PI4, ?sin_PI4, H; ring.
Qed.

Lemma of_formula_value f : val (of_formula f) = formula_value x theta f.
Proof.
  unfold of_formula. rewrite sum_value. induction f as [|[q m] f IH]; cbn; auto.
  cbn in IH. rewrite IH. unfold term_value; cbn [fst snd]. now rewrite symbols_value.
Qed.

Lemma without_value p n f : val (without p n f) = val p - IZR n * formula_value x theta f.
Proof.
  unfold without. rewrite add_value, scale_value, of_formula_value.
  replace (Q2R (inject_Z (- n))) with (- IZR n)
    by (rewrite <- opp_IZR; unfold Q2R, inject_Z; cbn [Qnum Qden]; field).
  ring.
Qed.

(** Taking [n f] out of an angle. *)
Lemma taken p n f z w t : is_cis z (formula_value x theta f) ->
  option_map (turn bases (multiple bases z n)) w = Some t ->
  (forall w', w = Some w' -> is_cis w' (val (without p n f))) -> is_cis t (val p).
Proof.
  intros Z H W. destruct w as [w|]; [|discriminate]. injection H as <-.
  replace (val p) with (IZR n * formula_value x theta f + val (without p n f))
    by (rewrite without_value; ring).
  apply turn_value; [now apply multiple_value|now apply W].
Qed.

Lemma split_value z : forall rest k p,
  (forall n, nth_error rest n = nth_error bases (N.to_nat k + n)) ->
  split bases k rest p = Some z -> is_cis z (val p).
Proof.
  intros rest. revert z. induction rest as [|f rest IH]; intros z k p Hr H.
  - destruct p; [|discriminate]. injection H as <-. apply one_value.
  - destruct p as [|a p]; [injection H as <-; apply one_value|].
    cbn [split] in H. set (r := a :: p) in *. clearbody r.
    assert (Next : forall p z, split bases (N.succ k) rest p = Some z -> is_cis z (val p)).
    { intros p' z'. apply IH. intros n. rewrite N2Nat.inj_succ. specialize (Hr (S n)). cbn in Hr.
      rewrite Hr. f_equal. lia. }
    assert (F : is_cis ([(1%Q, cosine bases k)], variable (Sine k)) (formula_value x theta f)).
    { specialize (Hr O). cbn in Hr. rewrite Nat.add_0_r in Hr.
      replace (formula_value x theta f) with (base_value k)
        by (unfold base_value; now rewrite <- Hr).
      split; cbn [fst snd].
      + cbn [value]. unfold term_value; cbn [fst snd]. rewrite cosine_value, Q2R_one. ring.
      + apply variable_value. }
    destruct (times_in f r) as [|n|n]; [auto| |];
      (eapply taken; [exact F|exact H|]; intros w W; now apply Next).
Qed.

Lemma cis_of_value p z : cis_of bases p = Some z -> is_cis z (val p).
Proof.
  intros H.
  assert (Rest : forall p z, split bases 0%N bases p = Some z -> is_cis z (val p)).
  { intros p' z'. apply split_value. intros n. reflexivity. }
  assert (E : is_cis eighth (formula_value x theta quarter_pi)).
  { replace (formula_value x theta quarter_pi) with (PI / 4); [apply eighth_value|].
    cbn. unfold Q2R; cbn. field. }
  unfold cis_of in H. destruct (times_in quarter_pi p) as [|n|n]; [auto| |];
    (eapply taken; [exact E|exact H|]; intros w W; now apply Rest).
Qed.

Lemma root_value p r : forall rest k, root bases k rest p = Some r -> val r = sqrt (val p).
Proof.
  induction rest as [|b rest IH]; intros k H; [discriminate|]. cbn [root] in H.
  destruct (arc bases k) as [[j n]|] eqn:A; [|eauto].
  destruct (square bases (Sine k)) as [s|] eqn:S; [|eauto].
  destruct (same s p) eqn:E; [|eauto]. injection H as <-.
  apply (same_sound env) in E. rewrite <- E, <- (square_env _ _ S), variable_value.
  apply arc_spec in A. destruct A as [A B]. cbn [env]. rewrite A.
  symmetry. apply sqrt_square. rewrite sin_acos by exact B. apply sqrt_pos.
Qed.

Definition right (k : known) : Prop := forall i p, recall k i = Some p -> val p = look nodes i.

Lemma learn_right k i p : right k -> val p = look nodes i -> right (learn k i p).
Proof.
  intros H E j r. unfold recall, learn. destruct (N.eq_dec i j) as [->|D].
  - rewrite PositiveMap.gss. intros K; injection K as <-. exact E.
  - rewrite PositiveMap.gso; [apply H|]. intros K. apply D.
    apply (f_equal Pos.pred_N) in K. now rewrite !N.pos_pred_succ in K.
Qed.

Lemma expanded_mono_value k m : right k -> val (expanded_mono bases k m) = mono_value env m.
Proof.
  intros H. induction m as [|v m IH]; unfold expanded_mono; cbn [fold_right mono_value];
    [rewrite constant_value; apply Q2R_one|].
  rewrite times_value.
  fold (expanded_mono bases k m). rewrite IH. f_equal.
  destruct v; cbn [expanded_var]; try apply variable_value.
  destruct (recall k i) as [p|] eqn:E; [now apply H|apply variable_value].
Qed.

Lemma expanded_value k p : right k -> val (expanded bases k p) = val p.
Proof.
  intros H. unfold expanded. rewrite sum_value. induction p as [|t p IH]; [reflexivity|].
  cbn [flat_map value]. rewrite value_app, scale_value, expanded_mono_value, IH by exact H.
  reflexivity.
Qed.

Lemma compute_value k o p : right k -> compute bases k o = Some p ->
  val p = operation_value x theta nodes o.
Proof.
  intros H. destruct o as [f|i|i|i|i|i|i j|i j]; cbn [compute operation_value];
    try destruct (recall k i) as [r|] eqn:I; try discriminate;
    try destruct (recall k j) as [r'|] eqn:J; try discriminate;
    try apply H in I; try apply H in J.
  - intros K; injection K as <-. apply of_formula_value.
  - destruct (cis_of bases r) as [z|] eqn:Z; [|discriminate]. intros K; injection K as <-.
    apply cis_of_value in Z. rewrite <- I. apply Z.
  - destruct (cis_of bases r) as [z|] eqn:Z; [|discriminate]. intros K; injection K as <-.
    apply cis_of_value in Z. rewrite <- I. apply Z.
  - intros K. rewrite <- I. eapply root_value, K.
  - destruct r as [|[q [|]] [|]]; try discriminate. destruct (Qeq_bool q 0) eqn:Z; [discriminate|].
    intros K; injection K as <-. rewrite constant_value, Q2R_inv.
    + f_equal. rewrite <- I. cbn [value]. unfold term_value; cbn [fst snd mono_value]. ring.
    + now apply Qeq_bool_neq.
  - intros K; injection K as <-. now rewrite opp_value, I.
  - intros K; injection K as <-. now rewrite add_value, I, J.
  - intros K; injection K as <-. now rewrite times_value, I, J.
Qed.

(** Running a program keeps what is there and adds the value of each operation. *)
Lemma run_prefix ops : forall values k, (k < length values)%nat ->
  nth k (run x theta ops values) 0 = nth k values 0.
Proof.
  induction ops as [|o ops IH]; intros values k H; [reflexivity|]. cbn [run].
  rewrite IH by (rewrite app_length; lia). now apply app_nth1.
Qed.

Lemma operation_agrees o : forall a b, (forall i, In i (arguments o) -> look a i = look b i) ->
  operation_value x theta a o = operation_value x theta b o.
Proof.
  intros a b H. destruct o; cbn [operation_value arguments] in *;
    rewrite ?(H i) by (cbn; auto); rewrite ?(H j) by (cbn; auto); reflexivity.
Qed.

Lemma run_value ops : forall values k o, nth_error ops k = Some o ->
  (forall i, In i (arguments o) -> (N.to_nat i < length values + k)%nat) ->
  nth (length values + k) (run x theta ops values) 0
  = operation_value x theta (run x theta ops values) o.
Proof.
  induction ops as [|o' ops IH]; intros values [|k] o H A; try discriminate; cbn [run].
  - injection H as ->. rewrite Nat.add_0_r in *.
    rewrite run_prefix by (rewrite app_length; cbn; lia).
    rewrite app_nth2, Nat.sub_diag by lia. cbn [nth]. apply operation_agrees.
    intros i I. unfold look. specialize (A i I).
    rewrite run_prefix by (rewrite app_length; lia). now rewrite app_nth1.
  - cbn in H. specialize (IH (values ++ [operation_value x theta values o']) k o H).
    rewrite app_length in IH. cbn [length] in IH.
    replace (length values + S k)%nat with (length values + 1 + k)%nat by lia.
    apply IH. intros i I. specialize (A i I). lia.
Qed.

Lemma node_value i o : nth_error program (N.to_nat i) = Some o ->
  forallb (fun j => (j <? i)%N) (arguments o) = true ->
  look nodes i = operation_value x theta nodes o.
Proof.
  intros H A. rewrite forallb_forall in A. apply (run_value program [] _ o H).
  intros j J. apply A, N.ltb_lt in J. cbn. lia.
Qed.

(** The Bloch vector of a state, and how each gate turns it. *)
Definition shows (b : bloch) (v : state) : Prop :=
  mean IdentityOp v = 1 /\ forall p, val (component p b) = mean p v.

Lemma mean_value a b c d p : mean p ((a, b), (c, d)) =
  match p with
  | IdentityOp => a * a + b * b + c * c + d * d
  | SigmaX => 2 * (a * c + b * d)
  | SigmaY => 2 * (a * d - b * c)
  | SigmaZ => a * a + b * b - c * c - d * d
  end.
Proof.
  destruct p; unfold mean, apply, pauli_matrix, cadd, cmul, conj, real, imaginary; cbn [fst snd];
    ring.
Qed.

(** [c], [s]: cosine and sine of the angle by which the Bloch vector turns about an axis. *)
Definition turned (axis : pauli) (c s : R) (v : state) (p : pauli) : R :=
  match axis, p with
  | SigmaX, SigmaY => c * mean SigmaY v - s * mean SigmaZ v
  | SigmaX, SigmaZ => s * mean SigmaY v + c * mean SigmaZ v
  | SigmaY, SigmaX => c * mean SigmaX v + s * mean SigmaZ v
  | SigmaY, SigmaZ => c * mean SigmaZ v - s * mean SigmaX v
  | SigmaZ, SigmaX => c * mean SigmaX v - s * mean SigmaY v
  | SigmaZ, SigmaY => s * mean SigmaX v + c * mean SigmaY v
  | _, _ => mean p v
  end.

Ltac expand_means :=
  unfold apply, cadd, cmul, real, imaginary, cis, turned; cbn [fst snd];
  rewrite !mean_value.

Lemma half t : cos t = cos (t / 2) * cos (t / 2) - sin (t / 2) * sin (t / 2) /\
  sin t = 2 * sin (t / 2) * cos (t / 2) /\
  cos (t / 2) * cos (t / 2) + sin (t / 2) * sin (t / 2) = 1.
Proof.
  repeat split.
  - rewrite <- cos_plus. f_equal; field.
  - rewrite <- sin_2a. f_equal; field.
  - pose proof (sin2_cos2 (t / 2)) as H. unfold Rsqr in H. lra.
Qed.

Lemma gate_mean g v p :
  mean p (apply (gate_matrix x theta g) v) =
  match g with
  | RX a => turned SigmaX (cos (formula_value x theta a)) (sin (formula_value x theta a)) v p
  | RY a => turned SigmaY (cos (formula_value x theta a)) (sin (formula_value x theta a)) v p
  | RZ a | PhaseShift a =>
      turned SigmaZ (cos (formula_value x theta a)) (sin (formula_value x theta a)) v p
  | Hadamard => match p with
                | IdentityOp => mean p v | SigmaX => mean SigmaZ v
                | SigmaY => - mean SigmaY v | SigmaZ => mean SigmaX v
                end
  | PhaseS => turned SigmaZ 0 1 v p
  | PhaseT => turned SigmaZ (cos (PI / 4)) (sin (PI / 4)) v p
  | Pauli IdentityOp => mean p v
  | Pauli SigmaX => turned SigmaX (-1) 0 v p
  | Pauli SigmaY => turned SigmaY (-1) 0 v p
  | Pauli SigmaZ => turned SigmaZ (-1) 0 v p
  end.
Proof.
  destruct v as [[a b] [c d]].
  destruct g as [f|f|f|f| | | |[]]; cbn [gate_matrix pauli_matrix];
    try set (t := formula_value x theta f).
  - destruct (half t) as (C & D & E). rewrite C, D.
    set (k := cos (t / 2)) in *; set (s := sin (t / 2)) in *. clearbody k s.
    assert (K : k * k = 1 - s * s) by lra.
    destruct p; expand_means; ring [K].
  - destruct (half t) as (C & D & E). rewrite C, D.
    set (k := cos (t / 2)) in *; set (s := sin (t / 2)) in *. clearbody k s.
    assert (K : k * k = 1 - s * s) by lra.
    destruct p; expand_means; ring [K].
  - destruct (half t) as (C & D & E). rewrite C, D.
    unfold cis. rewrite cos_neg, sin_neg.
    set (k := cos (t / 2)) in *; set (s := sin (t / 2)) in *. clearbody k s.
    assert (K : k * k = 1 - s * s) by lra.
    destruct p; expand_means; ring [K].
  - assert (K : cos t * cos t = 1 - sin t * sin t)
      by (pose proof (sin2_cos2 t) as H; unfold Rsqr in H; lra).
    destruct p; expand_means; ring [K].
  - assert (P : sqrt 2 <> 0) by (apply Rgt_not_eq, sqrt_lt_R0; lra).
    assert (K : (1 / sqrt 2) * (1 / sqrt 2) = 1 / 2)
      by (field_simplify_eq; auto; simpl; rewrite Rmult_1_r, sqrt_sqrt; lra).
    set (h := 1 / sqrt 2) in *. clearbody h.
    destruct p; expand_means;
      match goal with |- ?l = ?r =>
        assert (L : l = 2 * (h * h) * r) by ring; rewrite L, K; field end.
  - destruct p; expand_means; ring.
  - set (t := PI / 4).
    assert (K : cos t * cos t = 1 - sin t * sin t)
      by (pose proof (sin2_cos2 t) as H; unfold Rsqr in H; lra).
    destruct p; expand_means; ring [K].
  - destruct p; expand_means; ring.
  - destruct p; expand_means; ring.
  - destruct p; expand_means; ring.
  - destruct p; expand_means; ring.
Qed.

Lemma rotate_shows g b b' v : shows b v -> rotate bases g b = Some b' ->
  shows b' (apply (gate_matrix x theta g) v).
Proof.
  intros [N B] R. destruct b as [[bx by_] bz].
  pose proof (B SigmaX) as BX. pose proof (B SigmaY) as BY. pose proof (B SigmaZ) as BZ.
  cbn [component] in BX, BY, BZ.
  assert (One : mean IdentityOp (apply (gate_matrix x theta g) v) = 1).
  { rewrite gate_mean. destruct g as [f|f|f|f| | | |[]]; exact N. }
  split; [exact One|]. intros p.
  destruct p; [destruct b' as [[? ?] ?]; cbn [component]; rewrite constant_value, One;
    apply Q2R_one | | | ]; rewrite gate_mean;
  destruct g as [f|f|f|f| | | |[]]; cbn [rotate] in R;
  try (destruct (cis_of bases (of_formula f)) as [z|] eqn:Z; [|discriminate];
       apply cis_of_value in Z; rewrite of_formula_value in Z; destruct Z as [ZC ZS];
       rewrite <- ZC, <- ZS);
  cbn [option_map] in R; injection R as <-; cbn [component]; unfold turned;
  try (destruct eighth_value as [EC ES]; unfold eighth in EC, ES; cbn [fst snd] in EC, ES;
       rewrite <- EC, <- ES);
  rewrite ?add_value, ?opp_value, ?times_value, ?add_value, ?opp_value, ?times_value,
    ?BX, ?BY, ?BZ; ring.
Qed.

Lemma replace_shows b v p r : shows b v -> val r = val (component p b) -> shows (replace p r b) v.
Proof.
  intros [N B] E. split; auto. intros p'. rewrite <- B. destruct b as [[bx by_] bz].
  destruct p, p'; cbn [replace component] in *; auto.
Qed.

Lemma Q2R_two : Q2R 2 = 2.
Proof. unfold Q2R; cbn; lra. Qed.

Lemma bloch_of_value a b c d p : p <> IdentityOp ->
  val (component p (bloch_of bases a b c d)) = mean p ((val a, val b), (val c, val d)).
Proof.
  intros H. rewrite mean_value. destruct p; [now elim H| | |]; cbn [component bloch_of];
    rewrite ?scale_value, ?add_value, ?opp_value, ?add_value, ?times_value, ?Q2R_two; ring.
Qed.

(** Another Bloch vector with the same values. *)
Lemma agreeing_shows k b new v : right k -> shows b v ->
  (forall p, p <> IdentityOp ->
     same (component p b) (expanded bases k (component p new)) = true) -> shows new v.
Proof.
  intros K [N B] H. split; [exact N|]. intros p. rewrite <- B.
  destruct p; [destruct b as [[? ?] ?], new as [[? ?] ?]; reflexivity| | |];
    (rewrite <- (expanded_value k) by exact K; symmetry; apply (same_sound env), H; discriminate).
Qed.

Definition good (final : state) (m : memory) : Prop :=
  let '(k, b, gates) := m in
  right k /\ exists v, shows b v /\ evolve x theta gates v = final.

Lemma step_good final s m m' : good final m -> do_step bases program s m = Some m' ->
  good final m'.
Proof.
  destruct m as [[k b] gates]. intros (K & v & B & F). destruct s; cbn [do_step].
  - destruct (nth_error program (N.to_nat i)) as [o|] eqn:O; [|discriminate].
    destruct (forallb _ _) eqn:A; [|discriminate].
    destruct (compute bases k o) as [p|] eqn:C; [|discriminate]. intros H; injection H as <-.
    split; [|eauto]. apply learn_right; auto.
    rewrite (node_value _ _ O A). eapply compute_value; eauto.
  - destruct gates as [|g gates]; [discriminate|].
    destruct (rotate bases g b) as [b'|] eqn:R; [|discriminate]. intros H; injection H as <-.
    split; auto. exists (apply (gate_matrix x theta g) v). split; [|exact F].
    eapply rotate_shows; eauto.
  - destruct (recall k i) as [r|] eqn:I; [|discriminate].
    destruct (same _ _) eqn:E; [|discriminate]. intros H; injection H as <-.
    apply (same_sound env) in E. apply K in I.
    split; [apply learn_right; auto; apply variable_value|].
    exists v. split; [|exact F]. apply replace_shows; auto.
    rewrite E. change (val (scale q (variable (Node i))) = val (scale q r)).
    rewrite !scale_value, variable_value, I. reflexivity.
  - destruct (recall k i) as [p|] eqn:I; [|discriminate].
    destruct (recall k j) as [r|] eqn:J; [|discriminate].
    destruct (same r (scale q p)) eqn:E; [|discriminate]. intros H; injection H as <-.
    apply (same_sound env) in E. apply K in I. apply K in J.
    split; [|eauto]. apply learn_right; auto.
    change (val (scale q (variable (Node i))) = look nodes j).
    rewrite <- J, E, !scale_value, variable_value, I. reflexivity.
  - set (new := bloch_of bases a b0 c d).
    destruct (_ && _)%bool eqn:E; [|discriminate]. intros H; injection H as <-.
    apply andb_prop in E. destruct E as [E Z]. apply andb_prop in E. destruct E as [X Y].
    split; [exact K|]. exists v. split; [|exact F]. apply (agreeing_shows k b new v K B).
    intros [] D; [now elim D| | |]; assumption.
  - intros H; injection H as <-. split; [|eauto]. apply learn_right; auto. apply variable_value.
Qed.

Lemma steps_good final steps : forall m m', good final m ->
  do_steps bases program steps m = Some m' -> good final m'.
Proof.
  induction steps as [|s steps IH]; cbn [do_steps]; intros m m' G H.
  - now injection H as <-.
  - destruct (do_step bases program s m) as [m1|] eqn:D; [|discriminate].
    eapply IH; [|exact H]. eapply step_good; eauto.
Qed.

Lemma total_value observable b v : shows b v ->
  val (total bases observable b) = mean_sum x theta observable v.
Proof.
  intros [N B]. induction observable as [|[c p] rest IH]; cbn [total mean_sum]; [reflexivity|].
  now rewrite add_value, times_value, of_formula_value, IH, B.
Qed.

Lemma start_good circuit : good (evolve x theta circuit zero_state) (start circuit).
Proof.
  split.
  - intros i p. unfold recall. rewrite PositiveMap.gempty. discriminate.
  - exists zero_state. split; [|reflexivity].
    assert (O : val (constant 1) = 1) by (rewrite constant_value; apply Q2R_one).
    split; [|intros []]; cbn [start component value]; rewrite ?O; unfold zero_state, real;
      rewrite mean_value; ring.
Qed.

Lemma checked circuit observable output steps :
  check bases program circuit observable output steps = true ->
  counterpart x theta program output = expectation x theta circuit observable.
Proof.
  unfold check. destruct (do_steps _ _ _ _) as [[[k b] [|]]|] eqn:D; try discriminate.
  destruct (recall k output) as [p|] eqn:O; [|discriminate]. intros E.
  apply (steps_good _ _ _ _ (start_good circuit)) in D.
  destruct D as (K & v & B & F). apply (same_sound env) in E. apply K in O.
  cbn [evolve] in F. unfold counterpart, expectation. fold nodes.
  rewrite <- F, <- (total_value observable b v B), <- E. now symmetry.
Qed.

End Soundness.

(** Where the checker accepts, counterpart and circuit are equal for all real features and
    parameters (features inside an arccos: between -1 and 1). *)
Theorem certificate_sound : forall (x theta : N -> R) (bases : list base)
    (program : list operation) (output : N) (circuit : list gate)
    (observable : list (formula * pauli)) (steps : list step),
  inside x bases ->
  check bases program circuit observable output steps = true ->
  counterpart x theta program output = expectation x theta circuit observable.
Proof. intros. eapply checked; eauto. Qed.

(** The definitions mean what they should: X flips |0>, RX a leaves cos a, half the angle
    is refused. *)
Example x_flips x theta :
  expectation x theta [Pauli SigmaX] [([(1%Q, [])], SigmaZ)] = -1.
Proof.
  unfold expectation; cbn. unfold mean; cbn. unfold Q2R; cbn. field.
Qed.

Example rx_leaves_cosine x theta : counterpart x theta [Number [(1%Q, [Feature 0])]; Cos 0] 1
  = expectation x theta [RX [(1%Q, [Feature 0])]] [([(1%Q, [])], SigmaZ)].
Proof.
  apply certificate_sound with (bases := [[(1%Q, [Feature 0])]])
    (steps := [Gate; Compute 0; Compute 1]); [exact I|vm_compute; reflexivity].
Qed.

Example half_angle_is_refused : check [[((1 # 2)%Q, [Feature 0])]]
  [Number [((1 # 2)%Q, [Feature 0])]; Cos 0] [RX [(1%Q, [Feature 0])]] [([(1%Q, [])], SigmaZ)] 1
  [Gate; Compute 0; Compute 1] = false.
Proof. vm_compute. reflexivity. Qed.
