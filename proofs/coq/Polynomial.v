(** A computable ring of polynomials with rational coefficients in symbols, cosines and sines.
    Sums and products are brought to a normal form in which no sine and no root of two is squared
    (sin^2 = 1 - cos^2 and sqrt(2)^2 = 2 are used); two polynomials with one normal form are
    proved to be equal as real functions ([same_sound]). *)

Require Import Reals QArith Qreals List Lra.
Import ListNotations.
Open Scope R_scope.
Arguments Qred : simpl never.
Arguments Q2R : simpl never.
Arguments Qmult : simpl never.
Arguments Qplus : simpl never.

(** What a real number of an identity is made of: a feature [x j], a parameter [theta j], the
    numbers pi and sqrt 2, and [Arccos j p], the angle [acos (x j ^ p)]. *)
Inductive symbol :=
  | Feature (j : N) | Theta (j : N) | PiNumber | RootTwo | Arccos (j p : N).

(** A variable: a symbol, the cosine or sine of the base angle [k], or the value of node [i]. *)
Inductive var :=
  | Symbol (s : symbol) | Cosine (k : N) | Sine (k : N) | Node (i : N).

(** A monomial is a sorted list of variables, a polynomial a sorted list of terms. *)
Definition mono := list var.
Definition term := (Q * mono)%type.
Definition poly := list term.

Definition symbol_key (s : symbol) : N * N * N :=
  match s with
  | Feature j => (0, j, 0)%N | Theta j => (1, j, 0)%N | PiNumber => (2, 0, 0)%N
  | RootTwo => (3, 0, 0)%N | Arccos j p => (4, j, p)%N
  end.

Definition key (v : var) : N * N * N :=
  match v with
  | Symbol s => symbol_key s | Cosine k => (5, k, 0)%N | Sine k => (6, k, 0)%N
  | Node i => (7, i, 0)%N
  end.

Definition var_compare (u v : var) : comparison :=
  let '(a, b, c) := key u in
  let '(a', b', c') := key v in
  match N.compare a a' with
  | Eq => match N.compare b b' with Eq => N.compare c c' | o => o end
  | o => o
  end.

Lemma var_compare_eq u v : var_compare u v = Eq -> u = v.
Proof.
  unfold var_compare. intros H.
  assert (K : key u = key v).
  { destruct (key u) as [[a b] c], (key v) as [[a' b'] c'].
    destruct (N.compare a a') eqn:A; try discriminate.
    destruct (N.compare b b') eqn:B; try discriminate.
    apply N.compare_eq_iff in A, B, H. now subst. }
  destruct u as [[]| | |], v as [[]| | |]; cbn in K; congruence.
Qed.

Fixpoint mono_compare (a b : mono) : comparison :=
  match a, b with
  | [], [] => Eq
  | [], _ => Lt
  | _, [] => Gt
  | u :: a', v :: b' => match var_compare u v with Eq => mono_compare a' b' | o => o end
  end.

Lemma mono_compare_eq a : forall b, mono_compare a b = Eq -> a = b.
Proof.
  induction a as [|u a IH]; intros [|v b] H; cbn in H; try discriminate; auto.
  destruct (var_compare u v) eqn:E; try discriminate.
  apply var_compare_eq in E. apply IH in H. now subst.
Qed.

(** ** Sums *)

Fixpoint add (p : poly) : poly -> poly :=
  match p with
  | [] => fun r => r
  | t :: p' =>
      fix inner (r : poly) : poly :=
        match r with
        | [] => t :: p'
        | t' :: r' =>
            match mono_compare (snd t) (snd t') with
            | Lt => t :: add p' (t' :: r')
            | Gt => t' :: inner r'
            | Eq =>
                let q := Qred (fst t + fst t') in
                if Qeq_bool q 0 then add p' r' else (q, snd t) :: add p' r'
            end
        end
  end.

Definition scale (q : Q) (p : poly) : poly := map (fun t => (Qred (q * fst t), snd t)) p.
Definition opp (p : poly) : poly := map (fun t => (Qopp (fst t), snd t)) p.
Definition constant (q : Q) : poly := if Qeq_bool q 0 then [] else [(Qred q, [])].
Definition variable (v : var) : poly := [(1%Q, [v])].

(** Sum of many terms, added as a binary counter counts, so that lists of one length meet. *)
Fixpoint push (p : poly) (stack : list (option poly)) : list (option poly) :=
  match stack with
  | [] => [Some p]
  | None :: rest => Some p :: rest
  | Some r :: rest => None :: push (add r p) rest
  end.

Definition collapse (stack : list (option poly)) : poly :=
  fold_right (fun o p => match o with None => p | Some r => add r p end) [] stack.

Definition keep (t : term) : poly := if Qeq_bool (fst t) 0 then [] else [t].

Definition sum (terms : list term) : poly :=
  collapse (fold_left (fun stack t => push (keep t) stack) terms []).

(** ** Products: [square v] says what [v * v] is replaced by, if it is. *)

Fixpoint insert (v : var) (m : mono) : mono :=
  match m with
  | [] => [v]
  | u :: m' => match var_compare v u with Gt => u :: insert v m' | _ => v :: m end
  end.

Section Products.
Variable square : var -> option poly.

(** The product of two monomials: a monomial, and the variables whose squares are to replace. *)
Fixpoint merge (a : mono) : mono -> mono * list var :=
  match a with
  | [] => fun b => (b, [])
  | u :: a' =>
      fix inner (b : mono) : mono * list var :=
        match b with
        | [] => (u :: a', [])
        | w :: b' =>
            match var_compare u w with
            | Lt => let (m, s) := merge a' (w :: b') in (u :: m, s)
            | Gt => let (m, s) := inner b' in (w :: m, s)
            | Eq =>
                let (m, s) := merge a' b' in
                match square u with Some _ => (m, u :: s) | None => (u :: u :: m, s) end
            end
        end
  end.

Definition times_square (v : var) (p : list term) : list term :=
  match square v with
  | None => map (fun t => (fst t, insert v (insert v (snd t)))) p
  | Some r =>
      flat_map (fun t =>
        map (fun t' => (Qred (fst t * fst t'), fold_right insert (snd t) (snd t'))) r) p
  end.

Definition term_mul (t t' : term) : list term :=
  let (m, squares) := merge (snd t) (snd t') in
  fold_right times_square [(Qred (fst t * fst t'), m)] squares.

Definition mul (p r : poly) : poly := sum (flat_map (fun t => flat_map (term_mul t) r) p).

End Products.

Definition same (p r : poly) : bool := match add p (opp r) with [] => true | _ => false end.

(** ** Values: every operation computes what its name says, for every value of the variables. *)

Section Values.
Variable env : var -> R.

Fixpoint mono_value (m : mono) : R :=
  match m with [] => 1 | v :: m' => env v * mono_value m' end.
Definition term_value (t : term) : R := Q2R (fst t) * mono_value (snd t).
Fixpoint value (p : poly) : R :=
  match p with [] => 0 | t :: p' => term_value t + value p' end.

Lemma Q2R_red q : Q2R (Qred q) = Q2R q.
Proof. apply Qeq_eqR, Qred_correct. Qed.

Lemma Q2R_zero q : Qeq_bool q 0 = true -> Q2R q = 0.
Proof. intros H. apply Qeq_bool_iff, Qeq_eqR in H. rewrite H. unfold Q2R; cbn; lra. Qed.

Lemma Q2R_one : Q2R 1 = 1.
Proof. unfold Q2R; cbn; lra. Qed.

Lemma value_app p r : value (p ++ r) = value p + value r.
Proof. induction p as [|t p IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma add_value p : forall r, value (add p r) = value p + value r.
Proof.
  induction p as [|t p IH]; [intros r; simpl; ring|].
  induction r as [|t' r IHr]; [simpl; ring|].
  change (add (t :: p) (t' :: r)) with
    (match mono_compare (snd t) (snd t') with
     | Lt => t :: add p (t' :: r)
     | Gt => t' :: add (t :: p) r
     | Eq => let q := Qred (fst t + fst t') in
             if Qeq_bool q 0 then add p r else (q, snd t) :: add p r
     end).
  destruct (mono_compare (snd t) (snd t')) eqn:E.
  - apply mono_compare_eq in E.
    assert (S : Q2R (Qred (fst t + fst t')) = Q2R (fst t) + Q2R (fst t'))
      by (rewrite Q2R_red; apply Q2R_plus).
    cbv zeta. destruct (Qeq_bool (Qred (fst t + fst t')) 0) eqn:Z.
    + apply Q2R_zero in Z. rewrite Z in S. rewrite IH. simpl. unfold term_value.
      rewrite <- E. replace (Q2R (fst t')) with (- Q2R (fst t)) by lra. ring.
    + cbn [value]. rewrite IH. unfold term_value; cbn [fst snd]. rewrite S, <- E. ring.
  - cbn [value]. rewrite IH. simpl. ring.
  - cbn [value]. rewrite IHr. simpl. ring.
Qed.

Lemma scale_value q p : value (scale q p) = Q2R q * value p.
Proof.
  induction p as [|t p IH]; simpl; [ring|]. rewrite IH.
  unfold term_value; cbn [fst snd]. rewrite Q2R_red, Q2R_mult. ring.
Qed.

Lemma opp_value p : value (opp p) = - value p.
Proof.
  induction p as [|t p IH]; simpl; [ring|]. rewrite IH.
  unfold term_value; cbn [fst snd]. rewrite Q2R_opp. ring.
Qed.

Lemma constant_value q : value (constant q) = Q2R q.
Proof.
  unfold constant. destruct (Qeq_bool q 0) eqn:Z.
  - apply Q2R_zero in Z. simpl. now rewrite Z.
  - simpl. unfold term_value; cbn [fst snd mono_value]. rewrite Q2R_red. ring.
Qed.

Lemma variable_value v : value (variable v) = env v.
Proof. simpl. unfold term_value; cbn [fst snd mono_value]. rewrite Q2R_one. ring. Qed.

Fixpoint stack_value (s : list (option poly)) : R :=
  match s with
  | [] => 0
  | None :: s' => stack_value s'
  | Some p :: s' => value p + stack_value s'
  end.

Lemma push_value s : forall p, stack_value (push p s) = value p + stack_value s.
Proof.
  induction s as [|[r|] s IH]; intros p; simpl; [ring| |ring].
  rewrite IH, add_value. ring.
Qed.

Lemma collapse_value s : value (collapse s) = stack_value s.
Proof.
  induction s as [|[r|] s IH]; simpl; auto.
  now rewrite add_value, IH.
Qed.

Lemma keep_value t : value (keep t) = term_value t.
Proof.
  unfold keep. destruct (Qeq_bool (fst t) 0) eqn:Z; simpl; [|ring].
  apply Q2R_zero in Z. unfold term_value. rewrite Z. ring.
Qed.

Lemma sum_value l : value (sum l) = value l.
Proof.
  unfold sum. rewrite collapse_value.
  enough (H : forall s, stack_value (fold_left (fun st t => push (keep t) st) l s)
              = value l + stack_value s) by (rewrite H; simpl; ring).
  induction l as [|t l IH]; intros s; simpl; [ring|].
  rewrite IH, push_value, keep_value. ring.
Qed.

Lemma insert_value v m : mono_value (insert v m) = env v * mono_value m.
Proof.
  induction m as [|u m IH]; simpl; auto.
  destruct (var_compare v u); simpl; auto. rewrite IH. ring.
Qed.

Lemma insert_all_value a m : mono_value (fold_right insert m a) = mono_value a * mono_value m.
Proof.
  induction a as [|v a IH]; simpl; [ring|]. rewrite insert_value, IH. ring.
Qed.

Variable square : var -> option poly.
Hypothesis square_value : forall v p, square v = Some p -> env v * env v = value p.

Fixpoint squares (s : list var) : R :=
  match s with [] => 1 | v :: s' => env v * env v * squares s' end.

Lemma merge_value a : forall b,
  mono_value (fst (merge square a b)) * squares (snd (merge square a b))
  = mono_value a * mono_value b.
Proof.
  induction a as [|u a IH]; [intros b; simpl; ring|].
  induction b as [|w b IHb]; [simpl; ring|].
  change (merge square (u :: a) (w :: b)) with
    (match var_compare u w with
     | Lt => let (m, s) := merge square a (w :: b) in (u :: m, s)
     | Gt => let (m, s) := merge square (u :: a) b in (w :: m, s)
     | Eq => let (m, s) := merge square a b in
             match square u with Some _ => (m, u :: s) | None => (u :: u :: m, s) end
     end).
  destruct (var_compare u w) eqn:E.
  - apply var_compare_eq in E. subst w. specialize (IH b).
    destruct (merge square a b) as [m s]. cbn [fst snd] in IH.
    transitivity (env u * env u * (mono_value m * squares s)).
    + destruct (square u); cbn [fst snd mono_value squares]; ring.
    + rewrite IH. simpl. ring.
  - specialize (IH (w :: b)). destruct (merge square a (w :: b)) as [m s].
    cbn [fst snd] in IH |- *. cbn [mono_value] in IH |- *.
    transitivity (env u * (mono_value m * squares s)); [ring|]. rewrite IH. ring.
  - destruct (merge square (u :: a) b) as [m s]. cbn [fst snd] in IHb |- *.
    cbn [mono_value] in IHb |- *.
    transitivity (env w * (mono_value m * squares s)); [ring|]. rewrite IHb. ring.
Qed.

Lemma times_term_value t r :
  value (map (fun t' => (Qred (fst t * fst t'), fold_right insert (snd t) (snd t'))) r)
  = term_value t * value r.
Proof.
  destruct t as [q m]. induction r as [|[q' m'] r IH]; [simpl; ring|].
  cbn [map value]. rewrite IH.
  unfold term_value; cbn [fst snd]. rewrite Q2R_red, Q2R_mult, insert_all_value. ring.
Qed.

Lemma times_square_value v p : value (times_square square v p) = env v * env v * value p.
Proof.
  unfold times_square. destruct (square v) as [r|] eqn:S.
  - apply square_value in S. rewrite S. clear S.
    induction p as [|t p IH]; simpl; [ring|].
    rewrite value_app, IH, times_term_value. ring.
  - induction p as [|[q m] p IH]; [simpl; ring|]. cbn [map value]. rewrite IH.
    unfold term_value; cbn [fst snd]. rewrite !insert_value. ring.
Qed.

Lemma term_mul_value t t' : value (term_mul square t t') = term_value t * term_value t'.
Proof.
  destruct t as [q n], t' as [q' n'].
  unfold term_mul; cbn [fst snd]. pose proof (merge_value n n') as H.
  destruct (merge square n n') as [m s]. cbn [fst snd] in H.
  assert (K : value (fold_right (times_square square) [(Qred (q * q'), m)] s)
              = squares s * (Q2R q * Q2R q' * mono_value m)).
  { clear H. induction s as [|v s IH]; cbn [fold_right squares].
    - simpl. unfold term_value; cbn [fst snd]. rewrite Q2R_red, Q2R_mult. ring.
    - rewrite times_square_value, IH. ring. }
  rewrite K. unfold term_value; cbn [fst snd].
  transitivity (Q2R q * Q2R q' * (mono_value m * squares s)); [ring|].
  rewrite H. ring.
Qed.

Lemma mul_value p r : value (mul square p r) = value p * value r.
Proof.
  unfold mul. rewrite sum_value.
  induction p as [|t p IH]; simpl; [ring|]. rewrite value_app, IH.
  enough (H : value (flat_map (term_mul square t) r) = term_value t * value r)
    by (rewrite H; ring).
  clear IH. induction r as [|t' r IHr]; simpl; [ring|].
  rewrite value_app, IHr, term_mul_value. ring.
Qed.

Theorem same_sound p r : same p r = true -> value p = value r.
Proof.
  unfold same. intros H. pose proof (add_value p (opp r)) as A. rewrite opp_value in A.
  destruct (add p (opp r)); [|discriminate]. simpl in A. lra.
Qed.

End Values.
